"""Forms of the pages for people and tokens."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, UsernameField
from django.utils.translation import gettext_lazy as _

from gallery.access.models import ApiToken
from gallery.access.roles import ROLE_BY_GROUP, Role

NAME_LENGTH = 150
# Hashing a longer one would only cost time.
PASSWORD_LENGTH = 1024
ROLE_CHOICES = [(group, _(group)) for group in ROLE_BY_GROUP]


class SignInForm(forms.Form):
    name = UsernameField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=PASSWORD_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class OwnPasswordForm(PasswordChangeForm):
    """Among other things on a page, so it does not draw the keyboard to itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["old_password"].widget.attrs["autofocus"]


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES)

    @property
    def chosen_role(self) -> Role:
        return ROLE_BY_GROUP[self.cleaned_data["role"]]


class NewPersonForm(RoleForm):
    name = UsernameField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name", "role")


class PersonForm(RoleForm):
    is_active = forms.BooleanField(label=_("May sign in"), required=False)


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("What it is for"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(label=_("It may"), choices=ApiToken.Scope.choices)

    @property
    def chosen_scope(self) -> ApiToken.Scope:
        return ApiToken.Scope(self.cleaned_data["scope"])
