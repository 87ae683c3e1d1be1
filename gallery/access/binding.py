"""Whether the gallery demands a login, by the address it is bound to and by the request.

On loopback it is open, because only the people of the machine reach it. Where anything says that
others may reach it as well, it demands a login.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from enum import StrEnum

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

MIN_SECRET_KEY_LENGTH = 32
# What reverse proxies add to the requests that they pass on.
PROXY_HEADERS = (
    *("Forwarded", "Via", "X-Real-IP", "X-Client-IP"),
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server"),
)


class Login(StrEnum):
    #: Demanded but from those who come directly from this machine.
    AUTO = "auto"
    #: Demanded from everyone.
    REQUIRED = "required"
    #: Not demanded from what comes over loopback, be it a proxy that asks for a login itself.
    OPEN = "open"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address or a name; False where in doubt."""
    host = host.strip("[]").lower()
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def login_of(setting: str, host: str, allowed_hosts: Sequence[str], behind_proxy: bool) -> Login:
    """What the setting means for a gallery bound to `host`: AUTO only where all is loopback.

    Raises ImproperlyConfigured for another setting, and for OPEN where others reach the gallery.
    """
    if setting not in set(Login):
        raise ImproperlyConfigured(
            f"GALLERY_LOGIN should be auto, required or open, is {setting!r}."
        )
    login = Login(setting)
    if login == Login.OPEN and not is_loopback(host):
        raise ImproperlyConfigured(
            f"GALLERY_LOGIN=open is only for loopback, and the gallery is to listen on {host}: "
            "leave GALLERY_LOGIN out, or set it to required."
        )
    published = behind_proxy or not all(map(is_loopback, [host, *allowed_hosts]))
    return Login.REQUIRED if login == Login.AUTO and published else login


def check_entrance(login: Login, *, key_given: bool, secret_key: str, hosts_given: bool) -> None:
    """Raises ImproperlyConfigured where a login is demanded and could be got round.

    Args:
        key_given: the secret key is from the environment, so that all processes have it, and so
            that it does not lie in a backup of the data folder.
        hosts_given: so are the names that the gallery answers to.
    """
    if login != Login.REQUIRED:
        return
    if not key_given or len(secret_key) < MIN_SECRET_KEY_LENGTH:
        raise ImproperlyConfigured(
            "The gallery can be reached from elsewhere, so it needs a SECRET_KEY of at least "
            f"{MIN_SECRET_KEY_LENGTH} characters in the environment. Make one with: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    if not hosts_given:
        raise ImproperlyConfigured(
            "The gallery can be reached from elsewhere, so ALLOWED_HOSTS in the environment has "
            "to name the hosts it answers to, such as ALLOWED_HOSTS=photos.example.org."
        )


def came_directly(request: HttpRequest) -> bool:
    """Whether a program of this machine asks, with no sign of a proxy between.

    nginx, unless told otherwise, adds no header but asks with HTTP/1.0, as no browser does.
    """
    return (
        came_over_loopback(request)
        and request.META.get("SERVER_PROTOCOL") != "HTTP/1.0"
        and not any(header in request.headers for header in PROXY_HEADERS)
    )


def came_over_loopback(request: HttpRequest) -> bool:
    return is_loopback(request.META.get("REMOTE_ADDR", ""))


def demands_login(login: Login, request: HttpRequest) -> bool:
    """Whether this request has to say whose it is."""
    if login == Login.OPEN:
        return not came_over_loopback(request)
    return login == Login.REQUIRED or not came_directly(request)
