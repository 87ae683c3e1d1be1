"""What people do for themselves: change their password, make and revoke their tokens."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from gallery.access.forms import OwnPasswordForm, TokenForm
from gallery.access.models import ApiToken
from gallery.access.visitors import visitor_of


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """One's account; POST changes the password."""
    user = _person(request)
    if request.method == "GET":
        return _account_page(request, user)
    form = OwnPasswordForm(user, request.POST)
    if not form.is_valid():
        return _account_page(request, user, password_form=form, status=400)
    form.save()
    # All other sessions end by this.
    update_session_auth_hash(request, user)
    messages.success(request, _("Your password is changed, and other devices are signed out."))
    return redirect("account")


@never_cache
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """Shows a new token this one time."""
    user = _person(request)
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _account_page(request, user, token_form=form, status=400)
    _, text = ApiToken.objects.make(user, form.cleaned_data["name"], form.chosen_scope)
    return _account_page(request, user, new_token=text)


@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    deleted = _person(request).api_tokens.filter(pk=token_id).delete()[0]
    if not deleted:
        raise Http404(_("You have no such token; it may have been revoked already."))
    messages.success(request, _("The token is revoked."))
    return redirect("account")


def _account_page(
    request: HttpRequest,
    user: User,
    *,
    password_form: OwnPasswordForm | None = None,
    token_form: TokenForm | None = None,
    new_token: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "role": visitor_of(request).role.group,
        "tokens": user.api_tokens.newest_first(),
        "password_form": password_form or OwnPasswordForm(user),
        "token_form": token_form or TokenForm(),
        "new_token": new_token,
    }
    return render(request, "account.html", context, status=status)


def _person(request: HttpRequest) -> User:
    user = visitor_of(request).user
    assert user is not None, "the rules let only people to these views"
    return user
