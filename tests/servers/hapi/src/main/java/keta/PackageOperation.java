package keta;

import ca.uhn.fhir.jpa.packages.IPackageInstallerSvc;
import ca.uhn.fhir.jpa.packages.PackageInstallOutcomeJson;
import ca.uhn.fhir.jpa.packages.PackageInstallationSpec;
import ca.uhn.fhir.rest.annotation.Operation;
import ca.uhn.fhir.rest.annotation.OperationParam;
import java.util.List;
import org.hl7.fhir.r4.model.Base64BinaryType;
import org.hl7.fhir.r4.model.ImplementationGuide;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.StringType;

/**
 * {@code POST ImplementationGuide/$install}: hands a package to HAPI's own installer, as the package settings of a HAPI
 * installation do. The package comes as {@code npmContent} (base64Binary) or {@code packageUrl} (file:// or http://);
 * {@code installResourceTypes} may repeat, and without it the installer's default types apply.
 */
public final class PackageOperation {
  private final IPackageInstallerSvc installer;

  PackageOperation(IPackageInstallerSvc installer) {
    this.installer = installer;
  }

  @Operation(name = "$install", type = ImplementationGuide.class)
  public Parameters install(
      @OperationParam(name = "name", min = 1, max = 1) StringType name,
      @OperationParam(name = "version", min = 1, max = 1) StringType version,
      @OperationParam(name = "npmContent", max = 1) Base64BinaryType content,
      @OperationParam(name = "packageUrl", max = 1) StringType url,
      @OperationParam(name = "installResourceTypes") List<StringType> types) {
    PackageInstallationSpec specification =
        new PackageInstallationSpec()
            .setName(name.getValue())
            .setVersion(version.getValue())
            .setInstallMode(PackageInstallationSpec.InstallModeEnum.STORE_AND_INSTALL)
            .setFetchDependencies(false);
    if (content != null) specification.setPackageContents(content.getValue());
    if (url != null) specification.setPackageUrl(url.getValue());
    if (types != null && !types.isEmpty()) {
      specification.setInstallResourceTypes(types.stream().map(StringType::getValue).toList());
    }
    PackageInstallOutcomeJson outcome = installer.install(specification);
    Parameters answer = new Parameters();
    outcome.getMessage().forEach(line -> answer.addParameter("message", line));
    outcome
        .getResourcesInstalled()
        .forEach((type, count) -> answer.addParameter().setName(type).setValue(new org.hl7.fhir.r4.model.IntegerType(count)));
    return answer;
  }
}
