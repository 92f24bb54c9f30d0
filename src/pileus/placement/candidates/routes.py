"""Allocation candidates: where something would fit (Placement API, Allocation candidates)."""

from pileus.kernel.http.call import Call, Reply
from pileus.kernel.http.routes import Route
from pileus.placement.candidates import request, survey
from pileus.placement.candidates.views import view
from pileus.placement.freshness import fresh


def index(call: Call) -> Reply:
    asked = request.read(call)
    found, forest = survey.candidates(call.db, asked, nested=call.at_least(1, 29))
    return fresh(call, view(call, forest, asked, found))


ROUTES = (
    Route("GET", "/allocation_candidates", index, "placement:allocation_candidates:list", since="1.10", offload=True),
)
