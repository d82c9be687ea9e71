package keta;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.hl7.fhir.r4.formats.JsonParser;
import org.hl7.fhir.r4.formats.XmlParser;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.Resource;
import org.hl7.fhir.utilities.npm.NpmPackageIndexBuilder;

/**
 * The folder in which the validator looks for FHIR packages, filled from Maven Central alone.
 *
 * <p>The R4 definitions are HL7's own, unmodified, from the jar hapi-fhir-validation-resources-r4. The second package is
 * empty: the validator asks for it and would otherwise try the network.
 */
final class PackageCache {
  private static final String CORE = "hl7.fhir.r4.core#4.0.1";
  private static final String CROSS_VERSION = "hl7.fhir.xver-extensions#0.1.0";
  private static final List<String> SOURCES =
      List.of(
          "profile/profiles-types.xml",
          "profile/profiles-resources.xml",
          "profile/profiles-others.xml",
          "extension/extension-definitions.xml",
          "valueset/valuesets.xml",
          "valueset/v2-tables.xml",
          "valueset/v3-codesystems.xml",
          "sp/search-parameters.json");

  private PackageCache() {}

  /** Makes what is missing below {@code home}, which is to be the value of the system property user.home. */
  static void prepare(Path home) throws IOException {
    Path packages = Files.createDirectories(home.resolve(".fhir/packages"));
    Files.writeString(home.resolve(".fhir/fhir-settings.json"), "{\"ignoreDefaultPackageServers\": true}\n");
    // Any other version makes the validator empty the folder.
    Files.writeString(packages.resolve("packages.ini"), "[cache]\nversion=4\n");
    if (Files.notExists(packages.resolve(CORE))) {
      Path draft = Files.createTempDirectory(packages.getParent(), "core");
      writeCore(Files.createDirectories(draft.resolve("package")));
      publish(draft, packages.resolve(CORE));
    }
    if (Files.notExists(packages.resolve(CROSS_VERSION))) {
      Path draft = Files.createTempDirectory(packages.getParent(), "empty");
      Path folder = Files.createDirectories(draft.resolve("package"));
      writeManifest(folder, CROSS_VERSION);
      NpmPackageIndexBuilder index = new NpmPackageIndexBuilder();
      index.start(null);
      Files.writeString(folder.resolve(".index.json"), index.build());
      publish(draft, packages.resolve(CROSS_VERSION));
    }
  }

  private static void publish(Path draft, Path place) throws IOException {
    try {
      Files.move(draft, place, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileAlreadyExistsException | AtomicMoveNotSupportedException error) {
      if (Files.notExists(place)) throw error;
    }
  }

  private static void writeManifest(Path folder, String nameAndVersion) throws IOException {
    String[] parts = nameAndVersion.split("#");
    String manifest =
        """
        {"name": "%s", "version": "%s", "fhirVersions": ["4.0.1"], "type": "Core", "canonical": "http://hl7.org/fhir",
         "url": "http://hl7.org/fhir/R4", "dependencies": {}}
        """;
    Files.writeString(folder.resolve("package.json"), manifest.formatted(parts[0], parts[1]));
  }

  private static void writeCore(Path folder) throws IOException {
    writeManifest(folder, CORE);
    NpmPackageIndexBuilder index = new NpmPackageIndexBuilder();
    index.start(null);
    Set<String> seen = new HashSet<>();
    for (String source : SOURCES) {
      for (Bundle.BundleEntryComponent entry : read(source).getEntry()) {
        Resource resource = entry.getResource();
        String name = resource.fhirType() + "-" + resource.getIdElement().getIdPart() + ".json";
        if (seen.add(name)) {
          String json = new JsonParser().composeString(resource);
          byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
          Files.write(folder.resolve(name), bytes);
          index.seeFile(name, bytes);
        }
      }
    }
    Files.writeString(folder.resolve(".index.json"), index.build());
  }

  private static Bundle read(String source) throws IOException {
    String place = "/org/hl7/fhir/r4/model/" + source;
    try (InputStream stream = PackageCache.class.getResourceAsStream(place)) {
      if (stream == null) throw new IOException("The R4 definitions jar has no " + place);
      return (Bundle) (source.endsWith(".json") ? new JsonParser() : new XmlParser()).parse(stream);
    }
  }
}
