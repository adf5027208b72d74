"""What the latent variables of a trained model mean: functions of a sampler."""
