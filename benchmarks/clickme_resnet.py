"""A partner of the size of ResNet-50: its weights are random, its cost is not."""

import numpy as np

from rapidvision.gala_models.resnet import build


def make(categories):
    import torch

    torch.set_num_threads(3)
    model = build("resnet50", seed=1).eval()

    def look(batch):
        with torch.inference_mode():
            views = torch.from_numpy(batch[:, 16:240, 16:240].copy()).permute(0, 3, 1, 2).float() / 255
            logits = model(views.contiguous(memory_format=torch.channels_last))[:, : len(categories)]
            return torch.softmax(logits.double(), dim=1).numpy().astype(np.float64)

    for n in (1, 2, 4, 8):
        look(np.zeros((n, 256, 256, 3), np.uint8))
    return look
