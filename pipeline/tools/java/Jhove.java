import edu.harvard.hul.ois.jhove.App;
import edu.harvard.hul.ois.jhove.JhoveBase;
import edu.harvard.hul.ois.jhove.Message;
import edu.harvard.hul.ois.jhove.Module;
import edu.harvard.hul.ois.jhove.RepInfo;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;

/**
 * JHOVE without its configuration, over many files in one start.
 *
 * <p>Arguments: MODULE,SECONDS FILE for each file. A line a file: its number, `seen` or why nothing came of it (`time`,
 * `memory`, `fault`), well-formed, valid (1 yes, 0 no, -1 unknown), release of the module, JHOVE's words; with tabs between.
 */
public final class Jhove {
    private static final String PLACE = "edu.harvard.hul.ois.jhove.module.";
    private static final int WORDS = 2000;
    private static final long STACK = 8L << 20;

    public static void main(String[] arguments) throws Exception {
        PrintStream told = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        // Whatever a module prints of a file is no line of ours.
        System.setOut(new PrintStream(OutputStream.nullOutputStream()));
        System.setErr(new PrintStream(OutputStream.nullOutputStream()));
        App app = new App("luutru", "1", new int[] {2026, 11, 28}, "", "");
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            String[] how = arguments[at].split(",");
            Look look = new Look(app, how[0], arguments[at + 1]);
            Thread thread = new Thread(null, look, "look", STACK);
            thread.setDaemon(true);
            thread.start();
            thread.join(Long.parseLong(how[1]) * 1000);
            told.println(at / 2 + "\t" + (thread.isAlive() ? "time\t0\t0\t-\t" : look.answer));
        }
        Runtime.getRuntime().halt(0); // a thread that is still at work must not keep us
    }

    /** One file by one module, each new: what a file left behind in a module is not there for the next. */
    private static final class Look implements Runnable {
        private final App app;
        private final String name;
        private final String file;
        private volatile String answer = "fault\t0\t0\t-\t";

        Look(App app, String name, String file) {
            this.app = app;
            this.name = name;
            this.file = file;
        }

        @Override
        public void run() {
            String release = "-";
            try {
                Module module = (Module) Class.forName(PLACE + name).getDeclaredConstructor().newInstance();
                release = module.getRelease();
                module.init("");
                module.setApp(app);
                module.setBase(new JhoveBase());
                module.resetParams();
                module.applyDefaultParams();
                answer = told(parsed(module), release);
            } catch (OutOfMemoryError problem) {
                answer = "memory\t0\t0\t" + release + "\t";
            } catch (Throwable problem) {
                answer = "fault\t0\t0\t" + release + "\t" + line(String.valueOf(problem));
            }
        }

        private RepInfo parsed(Module module) throws Exception {
            RepInfo told = new RepInfo(file);
            if (module.isRandomAccess()) {
                try (RandomAccessFile source = new RandomAccessFile(new File(file), "r")) {
                    module.parse(source, told);
                }
                return told;
            }
            int pass = 0;
            do {
                try (InputStream source = new FileInputStream(file)) {
                    pass = module.parse(source, told, pass);
                }
            } while (pass != 0);
            return told;
        }

        private static String told(RepInfo found, String release) {
            StringBuilder words = new StringBuilder();
            for (Message one : found.getMessage()) {
                if (words.length() < WORDS) {
                    words.append(one.getMessage());
                    words.append(one.getSubMessage() == null ? "; " : ": " + one.getSubMessage() + "; ");
                }
            }
            return "seen\t" + found.getWellFormed() + "\t" + found.getValid() + "\t" + release + "\t" + line(words.toString());
        }

        private static String line(String words) {
            String flat = words.replaceAll("\\s+", " ").trim();
            return flat.length() > WORDS ? flat.substring(0, WORDS) : flat;
        }
    }

    private Jhove() {}
}
