import edu.harvard.hul.ois.jhove.App;
import edu.harvard.hul.ois.jhove.JhoveBase;
import edu.harvard.hul.ois.jhove.Message;
import edu.harvard.hul.ois.jhove.Module;
import edu.harvard.hul.ois.jhove.RepInfo;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.util.HashMap;
import java.util.Map;

/** JHOVE without its configuration: pairs of a module's name and a file; per pair well-formed, valid (0, 1), words. */
public final class Jhove {
    private static final String PLACE = "edu.harvard.hul.ois.jhove.module.";

    public static void main(String[] arguments) throws Exception {
        App app = new App("judge", "1", new int[] {2026, 11, 28}, "", "");
        Map<String, Module> modules = new HashMap<>();
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            String name = arguments[at];
            Module module = modules.get(name);
            if (module == null) {
                module = (Module) Class.forName(PLACE + name).getDeclaredConstructor().newInstance();
                module.init("");
                module.setApp(app);
                module.setBase(new JhoveBase());
                modules.put(name, module);
            }
            System.out.println(judged(module, arguments[at + 1]));
        }
    }

    private static String judged(Module module, String file) {
        RepInfo told = new RepInfo(file);
        StringBuilder words = new StringBuilder();
        try {
            module.resetParams();
            module.applyDefaultParams();
            if (module.isRandomAccess()) {
                try (RandomAccessFile source = new RandomAccessFile(file, "r")) {
                    module.parse(source, told);
                }
            } else {
                int pass = 0;
                do {
                    try (InputStream source = new FileInputStream(file)) {
                        pass = module.parse(source, told, pass);
                    }
                } while (pass != 0);
            }
        } catch (Exception | StackOverflowError problem) {
            told.setWellFormed(false);
            told.setValid(false);
            words.append(problem).append("; ");
        }
        for (Message one : told.getMessage()) {
            words.append(one.getMessage()).append("; ");
        }
        return told.getWellFormed() + "\t" + told.getValid() + "\t" + words.toString().replaceAll("\\s+", " ").trim();
    }

    private Jhove() {}
}
