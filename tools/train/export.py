# SPDX-License-Identifier: MIT
import dataclasses, json, os
import numpy as np

def save_checkpoint(path, config, weights):
    partial = path.with_name(path.name + ".tmp.npz")
    np.savez(partial, config=json.dumps(dataclasses.asdict(config)), **weights)
    os.replace(partial, path)

def export(checkpoint, heldout, output):
    pass
