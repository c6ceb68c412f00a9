from .design.plan_study import plan as plan
from .engine.participants import Observers as Observers
from .engine.simulate import simulate as simulate
from .export.exporters import Export as Export
from .export.exporters import register_exporter as register_exporter
