"""``python -m fhir_keta``: the same as the command ``fhir-keta``."""

from fhir_keta.cli.main import main

main(prog_name="fhir-keta")
