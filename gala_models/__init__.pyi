from .layers.attention import attention_maps as attention_maps
from .layers.gala import GALA as GALA
from .observer.observe import Network as Network
from .plugins import register_attribution as register_attribution
from .plugins import register_network as register_network
from .plugins import register_readout as register_readout
