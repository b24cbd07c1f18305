"""The kind `tt05`: packages of Circular 05/2025/TT-BNV, judged by the rules TT05-… of its five annexes."""
