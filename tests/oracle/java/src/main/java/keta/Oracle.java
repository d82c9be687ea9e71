package keta;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hl7.fhir.r5.terminologies.utilities.TerminologyCache;
import org.hl7.fhir.utilities.http.ManagedWebAccess;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.validation.ValidationEngine;

/**
 * HL7's own FHIR validator as a long-lived process: a request a line on standard input, an answer a line on standard output.
 *
 * <p>A request is {@code {"id": 1, "definitions": ["folder", ...], "profiles": ["canonical", ...], "data": "base64"}}, where
 * the data are the bytes of one resource in JSON, well-formed or not; without data it only loads the definitions. The
 * answer is {@code {"id": 1, "issue": [...], "problems": [...]}}: the issues of an OperationOutcome with line, column and
 * messageId, and what was wrong with the definitions themselves; or {@code {"id": 1, "failure": "..."}}. A request with
 * {@code "structure": "canonical"} is answered with that StructureDefinition and the snapshot that the validator made.
 */
public final class Oracle {
  private static final int DEFINITION_SETS_KEPT = 3;

  private Oracle() {}

  public static void main(String[] arguments) throws Exception {
    PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    System.setOut(System.err); // The validator talks; only answers may stand on standard output.
    TerminologyCache.setNoCaching(true); // It would judge a code by the display that another record gave it.
    ManagedWebAccess.setAccessPolicy(ManagedWebAccess.WebAccessPolicy.PROHIBITED);
    PackageCache.prepare(Path.of(System.getProperty("user.home")));
    ValidationEngine base = Definitions.base();
    Map<List<Path>, Definitions> known =
        new LinkedHashMap<>(4, 0.75f, true) {
          @Override
          protected boolean removeEldestEntry(Map.Entry<List<Path>, Definitions> eldest) {
            return size() > DEFINITION_SETS_KEPT;
          }
        };
    answers.println("{\"ready\": true}");
    answers.flush();
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      JsonObject request = JsonParser.parseString(line).getAsJsonObject();
      JsonObject answer = new JsonObject();
      try {
        List<Path> folders = strings(request, "definitions").stream().map(Path::of).toList();
        Definitions definitions = known.computeIfAbsent(folders, names -> new Definitions(base, names));
        definitions.refresh();
        if (request.has("data")) {
          byte[] data = Base64.getDecoder().decode(request.get("data").getAsString());
          answer.add("issue", issues(definitions.check(data, strings(request, "profiles"))));
        }
        if (request.has("structure")) {
          String structure = definitions.structure(request.get("structure").getAsString());
          answer.add("structure", structure == null ? JsonNull.INSTANCE : JsonParser.parseString(structure));
        }
        JsonArray problems = new JsonArray();
        definitions.problems().forEach(problems::add);
        answer.add("problems", problems);
      } catch (Exception | Error error) {
        error.printStackTrace();
        answer = new JsonObject();
        answer.addProperty("failure", error.toString());
      }
      answer.add("id", request.get("id"));
      answers.println(answer);
      answers.flush();
    }
  }

  private static List<String> strings(JsonObject request, String name) {
    List<String> values = new ArrayList<>();
    if (request.has(name)) for (JsonElement value : request.getAsJsonArray(name)) values.add(value.getAsString());
    return values;
  }

  private static JsonArray issues(List<ValidationMessage> messages) {
    JsonArray issues = new JsonArray();
    for (ValidationMessage message : messages) {
      JsonObject issue = new JsonObject();
      issue.addProperty("severity", message.getLevel().toCode());
      issue.addProperty("code", message.getType() == null ? "unknown" : message.getType().toCode());
      issue.addProperty("expression", message.getLocation());
      issue.addProperty("line", message.getLine());
      issue.addProperty("column", message.getCol());
      issue.addProperty("message", message.getMessage());
      issue.addProperty("messageId", message.getMessageId());
      issues.add(issue);
    }
    return issues;
  }
}
