"""Allocation candidates: where something would fit (Placement API, Allocation candidates)."""

from pileus.kernel.http.call import Call, Reply
from pileus.kernel.http.routes import Route
from pileus.placement.candidates import forest, request
from pileus.placement.candidates.search import Search
from pileus.placement.candidates.views import view
from pileus.placement.freshness import fresh


def index(call: Call) -> Reply:
    asked = request.read(call)
    places = forest.read(call.db)
    return fresh(call, view(call, places, asked, Search(places, asked, nested=call.at_least(1, 29)).run()))


ROUTES = (
    Route("GET", "/allocation_candidates", index, "placement:allocation_candidates:list", since="1.10", offload=True),
)
