"""OCFL objects and storage roots of anyone, judged by every rule of the specification; nothing is changed."""
