"""The compiled part of the package; everything else that builds it is in pyproject.toml."""

from setuptools import Extension, setup

KERNELS = Extension(
    "crowdalpha.scoring._kernels",
    sources=["src/crowdalpha/scoring/_kernels.c"],
    # sums are to be the same on every processor: nothing is contracted into fused operations
    extra_compile_args=["-O3", "-ffp-contract=off"],
    py_limited_api=True,
)

setup(ext_modules=[KERNELS], options={"bdist_wheel": {"py_limited_api": "cp311"}})
