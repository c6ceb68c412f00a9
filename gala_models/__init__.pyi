from .layers.attention import attention_maps as attention_maps
from .layers.gala import GALA as GALA
from .observer.observe import Network as Network
