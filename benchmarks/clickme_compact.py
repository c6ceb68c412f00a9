"""A partner of the bundled networks' architecture and input size; its weights are random, its cost is not."""

import numpy as np

from rapidvision.gala_models.resnet import build

SIDE_PX = 96


def make(categories):
    import torch

    torch.set_num_threads(1)
    model = build("compact-gala", seed=1).eval()

    def look(batch):
        with torch.inference_mode():
            views = torch.from_numpy(np.ascontiguousarray(batch)).permute(0, 3, 1, 2).float() / 255
            small = torch.nn.functional.interpolate(views, size=(SIDE_PX, SIDE_PX), mode="area")
            logits = model(small.contiguous(memory_format=torch.channels_last))[:, : len(categories)]
            return torch.softmax(logits.double(), dim=1).numpy().astype(np.float64)

    for n in (1, 8, 32):
        look(np.zeros((n, 256, 256, 3), np.uint8))
    return look
