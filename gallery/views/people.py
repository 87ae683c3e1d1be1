"""Where owners look after people: add them, change what they may do, send them links."""

from __future__ import annotations

from typing import NamedTuple

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from gallery.access.forms import NewPersonForm, PersonForm
from gallery.access.models import ApiToken
from gallery.access.people import (
    PersonRefused,
    add_person,
    change_person,
    everybody,
    password_link,
)
from gallery.access.roles import role_of
from gallery.access.visitors import visitor_of


class _ShownPerson(NamedTuple):
    user: User
    role: str
    form: PersonForm
    tokens: list[ApiToken]


@never_cache
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """Everybody; POST adds a person and shows the link for the password."""
    if request.method == "GET":
        return _people_page(request)
    form = NewPersonForm(request.POST)
    if not form.is_valid():
        return _people_page(request, form=form, status=400)
    try:
        user = add_person(form.cleaned_data["name"], form.chosen_role)
    except PersonRefused as refusal:
        form.add_error("name", str(refusal))
        return _people_page(request, form=form, status=400)
    return _people_page(request, linked=user)


@require_POST
def change(request: HttpRequest, user_id: int) -> HttpResponse:
    user = _person_or_404(user_id)
    form = PersonForm(request.POST, prefix=str(user_id))
    if not form.is_valid():
        messages.error(request, _("Choose a role."))
        return redirect("people")
    try:
        change_person(user, form.chosen_role, is_active=form.cleaned_data["is_active"])
        messages.success(request, _("%(name)s is changed.") % {"name": user})
    except PersonRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("people" if visitor_of(request).user != user else "dashboard")


@never_cache
@require_POST
def link(request: HttpRequest, user_id: int) -> HttpResponse:
    """Shows a link by which the person chooses a new password."""
    return _people_page(request, linked=_person_or_404(user_id))


@require_POST
def revoke_token(request: HttpRequest, user_id: int, token_id: int) -> HttpResponse:
    deleted = ApiToken.objects.filter(pk=token_id, user_id=user_id).delete()[0]
    if not deleted:
        raise Http404(_("There is no such token; it may have been revoked already."))
    messages.success(request, _("The token is revoked."))
    return redirect("people")


def _people_page(
    request: HttpRequest,
    *,
    form: NewPersonForm | None = None,
    linked: User | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "people": [_shown(user) for user in everybody()],
        "form": form or NewPersonForm(),
        "linked": linked,
        "link": request.build_absolute_uri(password_link(linked)) if linked else "",
    }
    return render(request, "people.html", context, status=status)


def _shown(user: User) -> _ShownPerson:
    # The role that a disabled account had, and gets again when it is enabled.
    role = max((group.name for group in user.groups.all()), default="reader")
    role = role_of(user).group if user.is_active else role
    facts = {"role": role, "is_active": user.is_active}
    form = PersonForm(initial=facts, prefix=str(user.pk), auto_id=f"person-{user.pk}-%s")
    return _ShownPerson(user, role, form, list(user.api_tokens.all()))


def _person_or_404(user_id: int) -> User:
    try:
        return User.objects.get(pk=user_id)
    except (User.DoesNotExist, OverflowError):
        raise Http404(_("There is no such person.")) from None
