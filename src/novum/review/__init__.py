"""Machine-written reviews of papers on the NeurIPS form: an ensemble, each with reflection, and a meta-review."""
