"""Signing in and out, and choosing a password by a link."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from gallery.access.forms import SignInForm
from gallery.access.people import has_owner, person_of_link
from gallery.access.throttle import TooManyTries, address_of, begin_attempt
from gallery.access.visitors import visitor_of

logger = logging.getLogger(__name__)

# The same whether the name is unknown, the password wrong or the account disabled.
DO_NOT_FIT = _("This name and password do not fit together.")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        if visitor_of(request).user:
            return redirect(_following(request))
        return _sign_in_page(request, SignInForm())
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form, status=400)
    name, password = form.cleaned_data["name"], form.cleaned_data["password"]
    address = address_of(request)
    try:
        attempt = begin_attempt(name, address)
    except TooManyTries as refusal:
        logger.warning("Signing in from %s has to wait.", address)
        response = _sign_in_page(request, form, str(refusal), refusal.status)
        response["Retry-After"] = str(int(refusal.seconds) + 1)
        return response
    user = authenticate(request, username=name, password=password)
    if not isinstance(user, User):
        # Without the name, which may be a password in the wrong field.
        logger.warning("A name and password from %s did not fit together.", address)
        return _sign_in_page(request, form, str(DO_NOT_FIT), status=400)
    attempt.forgive()
    _begin_session(request, user)
    return redirect(_following(request))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("login")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def choose_password(request: HttpRequest, user_key: str, link_token: str) -> HttpResponse:
    """Whoever has the link chooses the password and is signed in."""
    user = person_of_link(user_key, link_token)
    if user is None:
        raise Http404(
            gettext("This link is used up or too old. Please ask an owner for a new one.")
        )
    form = SetPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        _begin_session(request, user)
        messages.success(request, gettext("Your password is set."))
        return redirect("dashboard")
    status = 400 if request.method == "POST" else 200
    return render(request, "choose_password.html", {"form": form, "person": user}, status=status)


def _begin_session(request: HttpRequest, user: User) -> None:
    login(request, user)
    # Here because it is seldom and writes anyway.
    request.session.clear_expired()


def _sign_in_page(
    request: HttpRequest, form: SignInForm, refusal: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "refusal": refusal,
        "next": _following(request),
        "without_owner": not has_owner(),
    }
    return render(request, "sign_in.html", context, status=status)


def _following(request: HttpRequest) -> str:
    """Where to go after signing in: a path of this gallery and nowhere else."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    inside = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if inside else reverse("dashboard")
