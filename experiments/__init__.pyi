from .design.plan_study import plan as plan
from .engine.participants import Observers as Observers
from .engine.participants import Sight as Sight
from .engine.simulate import simulate as simulate
from .exports.export import export as export
from .exports.export import read_sessions as read_sessions
from .exports.exporters import Export as Export
from .exports.exporters import register_exporter as register_exporter
