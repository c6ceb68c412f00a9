"""The paper's network by its name."""

from .resnet import ResNet, build


def gala_resnet50(*, seed: int = 0) -> ResNet:
    """Build the paper's GALA-ResNet-50 for ImageNet's 1,000 classes, with fresh weights.

    Parameters
    ----------
    seed : int, default 0
        Of the weights.

    Returns
    -------
    ResNet
        Images (batch, 3, height, width), float32, to class scores (batch, 1000). Trained weights come from a file:
        :func:`rapidvision.gala_models.load`.

    Examples
    --------
    >>> import rapidvision as rv
    >>> network = rv.models.gala_resnet50()
    >>> network.architecture.attention, network.fc.out_features
    ('gala', 1000)
    """
    network = build("gala-resnet50", seed=seed)
    assert isinstance(network, ResNet)
    return network
