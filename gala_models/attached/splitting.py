"""A network cut behind its first attended layer, so that what lies before it runs once per image in training."""

from collections.abc import Sequence

import torch
from torch import Tensor, fx, nn

from rapidvision.errors import InputError

from .layout import layers_named


class _Tracer(fx.Tracer):
    """Traces a network with the named layers as whole modules."""

    def __init__(self, leaves: Sequence[str]) -> None:
        super().__init__()
        self.leaves = frozenset(leaves)

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return name in self.leaves or super().is_leaf_module(module, name)


class Halves:
    """What lies before and behind a network's first attended layer.

    Parameters
    ----------
    model : Module
        In evaluation mode, on which ``torch.fx`` can trace the forward pass.
    layers : sequence of str
        Those that carry attention, or will; they stay whole modules.

    Attributes
    ----------
    first : str
        The layer at whose output the network is cut.

    Raises
    ------
    InputError
        When the network cannot be traced or cut; says why.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Flatten())
    >>> halves, x = Halves(network, ["0"]), torch.rand(2, 3, 2, 2)
    >>> bool((halves.tail(*halves.head(x)) == network(x)).all())
    True
    """

    def __init__(self, model: nn.Module, layers: Sequence[str]) -> None:
        layers_named(model, layers)
        try:
            nodes = list(_Tracer(layers).trace(model).nodes)
        except Exception as error:  # whatever the network's own code raises for a symbolic input
            raise InputError(
                f"cotrain: {type(model).__name__} cannot be traced ({type(error).__name__}: {error}); train it uncached"
            ) from error
        cuts = [place for place, node in enumerate(nodes) if node.op == "call_module" and node.target in layers]
        if not cuts:
            raise InputError(f"cotrain: none of {', '.join(layers)} is called as a module; train uncached")
        cut = cuts[0]
        self.first = str(nodes[cut].target)
        before, after = nodes[: cut + 1], nodes[cut + 1 :]
        later = set(after)
        live = [node for node in before if node.op != "get_attr" and any(user in later for user in node.users)]
        # A batch size read from the input is read again from the first cached value: both have the same images.
        sizes = [node for node in live if node.op == "call_method" and node.target == "size" and node.args[1:] == (0,)]
        kept = [nodes[cut], *(node for node in live if node not in sizes and node is not nodes[cut])]
        #: Input → the values that the rest still needs, the first layer's output first.
        self.head = _part(model, before, (), kept, ())
        #: Those values → scores.
        self.tail = _part(model, after, kept, None, sizes)


def _part(
    model: nn.Module,
    nodes: Sequence[fx.Node],
    given: Sequence[fx.Node],
    results: Sequence[fx.Node] | None,
    sizes: Sequence[fx.Node],
) -> fx.GraphModule:
    """Copy a run of nodes as a module of its own; the modules that it calls are those of the network itself."""
    graph = fx.Graph()
    known = {node: graph.placeholder(node.name) for node in given}
    known |= {node: graph.call_method("size", (known[given[0]], 0)) for node in sizes}
    for node in nodes:
        for used in node.all_input_nodes:
            if used not in known and used.op == "get_attr":
                known[used] = graph.node_copy(used)
        known[node] = graph.node_copy(node, known.__getitem__)
    if results is not None:
        graph.output(tuple(known[node] for node in results))
    return fx.GraphModule(model, graph)


class Cached:
    """A frozen network's values behind its first attended layer, for images and their mirror images.

    Parameters
    ----------
    model : Module
        The network, with or without attention; what is cached is the network's own.
    layers : sequence of str
        Those that carry attention, or will.
    images : Tensor, shape (n, 3, height, width)
        Network input.
    mirrored : bool, default True
        Whether mirror images are cached too.
    batch_size : int, default 16
        Images at once.

    Attributes
    ----------
    values : list of Tensor, shape (views, n, ...)
        The first is the output of the layer at whose output the network is cut.
    reference : Tensor, shape (views, n, classes)
        The network's own scores.
    """

    def __init__(
        self, model: nn.Module, layers: Sequence[str], images: Tensor, *, mirrored: bool = True, batch_size: int = 16
    ) -> None:
        from .hooks import bypassed

        self.model, self.halves = model, Halves(model, layers)
        views, scores = [], []
        with torch.no_grad(), bypassed(model):
            for view in (images, images.flip(3)) if mirrored else (images,):
                parts = [self.halves.head(part) for part in torch.split(view, batch_size)]
                if not all(
                    isinstance(value, Tensor) and len(value) == len(part[0]) for part in parts for value in part
                ):
                    raise InputError(
                        "cotrain: the network keeps values that do not belong to one image; train it uncached"
                    )
                values = [torch.cat(found) for found in zip(*parts, strict=True)]
                views.append(values)
                pieces = zip(*(torch.split(value, batch_size) for value in values), strict=True)
                scores.append(torch.cat([self.halves.tail(*piece) for piece in pieces]))
        self.values = [torch.stack(found) for found in zip(*views, strict=True)]
        self.reference = torch.stack(scores)

    def __len__(self) -> int:
        return self.values[0].shape[1]

    def taken(self, rows: Tensor, views: Tensor) -> list[Tensor]:
        """Cached values of some images, each in the view 0 (as given) or 1 (mirrored)."""
        found = [value[views, rows] for value in self.values]
        return [one.contiguous(memory_format=torch.channels_last) if one.ndim == 4 else one for one in found]
