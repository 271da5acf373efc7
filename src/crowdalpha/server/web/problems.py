"""Errors as pages, for those who asked for a page; whoever has to sign in first is led there."""

from http import HTTPStatus
from urllib.parse import quote

from fastapi import Request, Response, status
from fastapi.responses import RedirectResponse

from crowdalpha.server.kit.problems import Problem
from crowdalpha.server.web.pages import page

__all__ = ["problem_page"]


def problem_page(request: Request, problem: Problem) -> Response | None:
    """Make the page of an error; None for whoever did not ask for a page."""
    reads_html = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
    if not reads_html and not getattr(request.state, "is_page", False):
        return None
    if problem.status == status.HTTP_401_UNAUTHORIZED and request.method == "GET":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(wanted, safe='')}", status_code=status.HTTP_303_SEE_OTHER)
    answer = page(request, "problem", status=problem.status, problem=problem, title=HTTPStatus(problem.status).phrase)
    answer.headers.update(problem.headers or {})
    return answer
