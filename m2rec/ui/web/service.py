"""The calls of the page's JavaScript. Each sends the session; an error is a sentence and changes nothing."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from m2rec.benchmark.speed.shapes import Shape
from m2rec.errors import InputError, M2RecError
from m2rec.recommend.validation import checked
from m2rec.text_safety import quoted
from m2rec.ui.panels import dialogs, sections, tables
from m2rec.ui.panels.computed.dialog import computed
from m2rec.ui.panels.days import days
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.render.exports import export
from m2rec.ui.render.view import view
from m2rec.ui.session.dispatch import dispatch, opening
from m2rec.ui.session.link import from_link
from m2rec.ui.session.paste import match, pasted
from m2rec.ui.session.requests import Ask, Choose, OpenLesson, Question, Raced, Request, Search
from m2rec.ui.session.state import Session, State
from m2rec.ui.session.worlds import Worlds

SEARCH_LIMIT = 50

Reply = dict[str, Any]


class Service:
    """Answers the page's calls for a set of worlds."""

    def __init__(self, worlds: Worlds) -> None:
        self.worlds = worlds

    def first(self, world: str | None = None) -> Reply:
        """The first view of a world, or of the default one, for a visitor without a link.

        Raises InputError for an unknown world, and CheckpointError for one that cannot be loaded.
        """
        return self._view(Session(state=opening(self.worlds.get(world) if world else self.worlds.default)))

    def act(self, payload: Any) -> Reply:
        """`payload` is a `Request`; the reply is the view after its action."""
        return self._answered(lambda: self._act(checked(Request, payload)))

    def open(self, payload: Any) -> Reply:
        """`payload` is a link's text; the reply is the view it describes."""
        return self._answered(lambda: self._open(payload))

    def search(self, payload: Any) -> Reply:
        """`payload` holds `world` and `query`; the reply lists up to fifty items as {item_id, title, group}."""
        return self._answered(lambda: {"hits": self.hits(checked(Search, payload))})

    def ask(self, payload: Any) -> Reply:
        """`payload` is an `Ask`; the reply is the content of a dialog, the matches of a pasted list, or a file."""
        return self._answered(lambda: self._ask(checked(Ask, payload)))

    def recommend(self, **question: Any) -> Reply:
        """`question` holds the fields of a `Question`; the reply is an `Answer` as JSON. Raises M2RecError."""
        asked = checked(Question, question)
        recommender = self.worlds.get(asked.world).recommender
        answer = recommender.recommend(asked.history, **asked.model_dump(exclude={"world", "history"}))
        return answer.model_dump(mode="json")

    def hits(self, asked: Search) -> list[dict[str, str]]:
        """Items whose titles match, best first; the most popular ones for an empty query. Raises M2RecError."""
        found = self.worlds.get(asked.world).recommender.search(asked.query.strip(), limit=SEARCH_LIMIT)
        return [{"item_id": item.item_id, "title": item.title, "group": item.group} for item in found]

    def shape(self, asked: Raced) -> Shape:
        """The sizes of a world's network and catalogue, for a race. Raises M2RecError."""
        recommender = self.worlds.get(asked.world).recommender
        return Shape.of(recommender.name, recommender.config.model)

    def _act(self, request: Request) -> Reply:
        session = dispatch(self.worlds, request.session, request.action)
        chosen = (
            request.action.value if isinstance(request.action, Choose) and request.action.type == "preset" else None
        )
        starts_over = (
            chosen is not None  # ranks for another history are not comparable
            or session.state.world != request.session.state.world
            or isinstance(request.action, OpenLesson)
        )
        return self._view(session, () if starts_over else request.before, chosen)

    def _open(self, text: Any) -> Reply:
        if not isinstance(text, str):
            raise InputError("A link is a text: copy it again from the page that made it.")
        state = from_link(text)
        world = self.worlds.get(state.world)
        places = [place for place, entry in enumerate(state.history) if world.knows(entry)]
        known = [state.history[place] for place in places]
        days = [state.days[place] for place in places] if state.days else ()
        reply = self._view(Session(state=state.replace(history=known, days=days)))
        if len(known) < len(state.history):
            lost = len(state.history) - len(known)
            reply["notice"] = (
                f"{lost} of the link's {len(state.history)} items are not in this world any more and were left out."
            )
        return reply

    def _ask(self, asked: Ask) -> Reply:
        context = self._context(asked.session)
        match asked.what:
            case "details":
                return {"html": dialogs.details(context, asked.text)}
            case "computed":
                return {"html": computed(context, asked.text, asked.day)}
            case "days":
                html, series = days(context)
                return {"html": html, "series": series}
            case "gate_table":
                return {"html": tables.gate_table(context)}
            case "spectrum_table":
                return {"html": tables.spectrum_table(context)}
            case "repeat":
                return {"html": dialogs.repeat(context)}
            case "paste":
                return {"html": dialogs.paste(context)}
            case "match":
                found = pasted(asked.text)
                matched = match(found.entries, list(context.world.items.values()))
                return {"html": dialogs.matches(matched, found.notes)}
            case "section":
                return {"html": sections.section(context, asked.text)}
            case _:
                return {"file": asdict(export(context, asked.what))}

    def _view(self, session: Session, before: tuple[str, ...] = (), preset: str | None = None) -> Reply:
        return view(self._context(session, before, preset))

    def _context(self, session: Session, before: tuple[str, ...] = (), preset: str | None = None) -> PageContext:
        state: State = session.state
        world = self.worlds.get(state.world)
        for place, entry in enumerate(state.history):
            if not world.knows(entry):
                raise InputError(
                    f"history.{place} must be the id of an item of {world.title}, not {quoted(entry)}: search for it."
                )
        return PageContext(self.worlds, world, session, ask(self.worlds, state), before, preset)

    @staticmethod
    def _answered(compute: Callable[[], Reply]) -> Reply:
        try:
            return compute()
        except M2RecError as error:
            return {"error": str(error)}
