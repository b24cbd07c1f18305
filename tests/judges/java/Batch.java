import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.roda_project.commons_ip2.validator.EARKSIPValidator;
import org.roda_project.commons_ip2.validator.reporter.ValidationReportOutputJson;

/** commons-ip on many packages in one virtual machine: OUTPUT_FOLDER VERSION PACKAGE... writes NAME.json for each. */
public class Batch {
  public static void main(String[] arguments) throws Exception {
    for (int i = 2; i < arguments.length; i++) {
      Path folder = Paths.get(arguments[i]);
      Path report = Paths.get(arguments[0]).resolve(folder.getFileName() + ".json");
      try (OutputStream out = Files.newOutputStream(report)) {
        new EARKSIPValidator(new ValidationReportOutputJson(folder, out), arguments[1]).validate(arguments[1]);
      } catch (Throwable broken) {
        Files.writeString(report, "broken: " + broken);
      }
    }
    System.exit(0);
  }
}
