import numpy as np

from crowdalpha.ensemble import effective_number, meta_model
from crowdalpha.scoring import corr, max_feature_exposure, mmc

rng = np.random.default_rng(1)
features = rng.integers(0, 5, size=(1_000, 20)).astype(float)  # 1,000 assets, bins 0 to 4
signal = features @ rng.normal(size=20)
target = np.digitize(signal + rng.normal(scale=60, size=1_000), [-90, -40, 40, 90]) / 4  # five bins, 0 to 1

models = np.column_stack([signal, signal + rng.normal(scale=9, size=1_000), features[:, 0], rng.random(1_000)])
stakes = np.array([100.0, 50.0, 20.0, 200.0])

crowd = meta_model(models, stakes)
print("CORR of each model   ", corr(models, target).round(4))
print("MMC, what pays       ", mmc(models, crowd, target).round(4))
print("largest exposure     ", max_feature_exposure(features, models).round(2))
print("CORR of meta model   ", corr(crowd[:, None], target).round(4))
print("effective n of stakes", round(effective_number(stakes), 2))
