package keta;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.hl7.fhir.convertors.factory.VersionConvertorFactory_40_50;
import org.hl7.fhir.r4.formats.JsonParser;
import org.hl7.fhir.r5.context.ContextUtilities;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.r5.model.CanonicalResource;
import org.hl7.fhir.r5.model.Resource;
import org.hl7.fhir.r5.model.StructureDefinition;
import org.hl7.fhir.r5.utils.validation.ValidatorSession;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.validation.BaseValidator;
import org.hl7.fhir.validation.ValidationEngine;
import org.hl7.fhir.validation.instance.InstanceValidator;
import org.hl7.fhir.validation.instance.advisor.BasePolicyAdvisorForFullValidation;
import org.hl7.fhir.validation.service.StandAloneValidatorFetcher;

/** HL7's validator with R4 and the definitions of some folders; reads them again when a file of them has changed. */
final class Definitions {
  /** A validator's heap grows with every record, so it is renewed after this many. */
  private static final int RECORDS_PER_VALIDATOR = 3000;

  private final ValidationEngine base;
  private final List<Path> folders;
  private final List<String> problems = new ArrayList<>();
  private ValidationEngine engine;
  private InstanceValidator validator;
  private int records;
  private String fingerprint = "";

  Definitions(ValidationEngine base, List<Path> folders) {
    this.base = base;
    this.folders = folders;
  }

  /** The R4 definitions alone, without network and without a terminology server. */
  static ValidationEngine base() throws Exception {
    return new ValidationEngine.ValidationEngineBuilder()
        .withNoTerminologyServer()
        .withCanRunWithoutTerminologyServer(true)
        .withVersion("4.0.1")
        .fromSource("hl7.fhir.r4.core#4.0.1");
  }

  /** One line for each definition that could not be read or got no snapshot. */
  List<String> problems() {
    return problems;
  }

  /** What the validator says about one record, in its order, duplicates removed. */
  List<ValidationMessage> check(byte[] record, List<String> profiles) throws Exception {
    refresh();
    if (validator == null || ++records > RECORDS_PER_VALIDATOR) {
      validator = newValidator();
      records = 0;
    }
    List<ValidationMessage> messages = new ArrayList<>();
    try {
      List<StructureDefinition> structures = engine.asSdList(profiles);
      validator.validate(null, messages, new ByteArrayInputStream(record), FhirFormat.JSON, structures);
    } catch (Exception | Error error) {
      validator = null;
      throw error;
    }
    return messages.stream().distinct().toList();
  }

  /** A structure as the validator uses it, snapshot included, as R4 JSON; null when there is none. */
  String structure(String canonical) throws Exception {
    refresh();
    StructureDefinition structure = engine.getContext().fetchResource(StructureDefinition.class, canonical);
    if (structure == null) return null;
    return new JsonParser().composeString(VersionConvertorFactory_40_50.convertResource(structure));
  }

  /**
   * A validator that takes R4 as it is loaded for "4.0" too. Left alone, it asks the network for that version before it
   * checks the context of an extension, for 14 seconds, and then loads R4 a second time.
   */
  private InstanceValidator newValidator() throws Exception {
    InstanceValidator fresh = engine.getValidator(FhirFormat.JSON);
    Field field = BaseValidator.class.getDeclaredField("session");
    field.setAccessible(true);
    ((ValidatorSession) field.get(fresh)).getOtherVersions().put("4.0", engine.getContext());
    return fresh;
  }

  /** Reads the folders again if any file in them is new, gone or changed. */
  void refresh() throws Exception {
    List<Path> files = files();
    StringBuilder now = new StringBuilder();
    for (Path file : files) {
      now.append(file).append(Files.getLastModifiedTime(file)).append(Files.size(file));
    }
    if (engine != null && fingerprint.contentEquals(now)) return;
    problems.clear();
    validator = null;
    engine = new ValidationEngine(base);
    engine.setLocale(Locale.ENGLISH);
    engine.setBestPracticeLevel(BestPracticeWarningLevel.Warning);
    engine.setPolicyAdvisor(new BasePolicyAdvisorForFullValidation(ReferenceValidationPolicy.IGNORE, null));
    engine.setFetcher(new StandAloneValidatorFetcher(engine.getPcm(), engine.getContext(), engine));
    load(files);
    fingerprint = now.toString();
  }

  private List<Path> files() throws IOException {
    List<Path> found = new ArrayList<>();
    for (Path folder : folders) {
      try (Stream<Path> tree = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
        tree.filter(path -> path.toString().endsWith(".json")).filter(Files::isRegularFile).forEach(found::add);
      }
    }
    found.sort(Comparator.naturalOrder());
    return found;
  }

  private void load(List<Path> files) {
    List<StructureDefinition> structures = new ArrayList<>();
    for (Path file : files) {
      try {
        Resource resource = engine.getIgLoader().loadResourceByVersion("4.0.1", Files.readAllBytes(file), file.toString());
        if (resource instanceof CanonicalResource) {
          engine.seeResource(resource);
          if (resource instanceof StructureDefinition structure) structures.add(structure);
        }
      } catch (Exception | Error error) {
        problems.add(file + ": " + error.getMessage());
      }
    }
    ContextUtilities snapshots = new ContextUtilities(engine.getContext());
    for (StructureDefinition structure : structures) {
      try {
        if (!structure.hasSnapshot()) snapshots.generateSnapshot(structure);
      } catch (Exception | Error error) {
        problems.add(structure.getUrl() + ": no snapshot: " + error.getMessage());
      }
    }
  }
}
