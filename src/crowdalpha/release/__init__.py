"""Obfuscation, the leak gate, dataset files and manifests, and the reader of prediction files."""

from crowdalpha.release.audit import LinkageResult, linkage_rate
from crowdalpha.release.errors import ManifestError, PredictionFileError, ReleaseError
from crowdalpha.release.example import ExampleModel
from crowdalpha.release.files import BuildOptions, build_dataset, build_live
from crowdalpha.release.frames import asset_index, target_frame
from crowdalpha.release.layout import Layout
from crowdalpha.release.manifest import FileEntry, Manifest, read_manifest, verify_manifest
from crowdalpha.release.obfuscation import ReleaseKey, bin_target, era_label
from crowdalpha.release.policies import POLICIES, Policy
from crowdalpha.release.predictions import Predictions, read_predictions

__all__ = [
    "POLICIES",
    "BuildOptions",
    "ExampleModel",
    "FileEntry",
    "Layout",
    "LinkageResult",
    "Manifest",
    "ManifestError",
    "Policy",
    "PredictionFileError",
    "Predictions",
    "ReleaseError",
    "ReleaseKey",
    "asset_index",
    "bin_target",
    "build_dataset",
    "build_live",
    "era_label",
    "linkage_rate",
    "read_manifest",
    "read_predictions",
    "target_frame",
    "verify_manifest",
]
