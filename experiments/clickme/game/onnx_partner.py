"""A partner in an ONNX file, as ``rapidvision models export-onnx`` writes it: played by onnxruntime, without torch."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats.networks.onnx_card import read_card
from rapidvision.system import extras


def make(
    categories: Sequence[str], *, model: str, n_threads: int | None = None
) -> Callable[[NDArray[np.uint8]], NDArray[np.float64]]:
    """Return a partner that knows `categories`.

    Parameters
    ----------
    categories : sequence of str
        What the images show; the order of the answers.
    model : str
        The file: ``images`` uint8 (n, height, width, 3) in, ``probabilities`` (n, n_classes) out, and a card with the
        classes' names.
    n_threads : int, optional
        Threads of the network; by default as many as there are cores.

    Raises
    ------
    LookupError
        When the network does not know one of the categories.
    InputError
        When the file is no network, or not one of ours.
    """
    extras.need("onnxruntime", extra="onnx", purpose="a partner in an ONNX file")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads or 0
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", "0"
    )  # idle threads must not heat the game's core
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has no common class for damaged files
        raise InputError(f"{model}: not a network that can be read ({error})") from error
    card = read_card(session.get_modelmeta().custom_metadata_map, name=model)
    known = {name: index for index, name in enumerate(card.categories)}
    unknown = [name for name in categories if name not in known]
    if unknown:
        raise LookupError(f"{card.name} does not know {', '.join(unknown)}; it knows {', '.join(known)}")
    columns = [known[name] for name in categories]

    def answer(views: NDArray[np.uint8]) -> NDArray[np.float64]:
        (probabilities,) = session.run(["probabilities"], {"images": views})
        return np.asarray(probabilities[:, columns], dtype=np.float64)

    return answer
