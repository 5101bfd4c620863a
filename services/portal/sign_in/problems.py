"""Why a sign-in does not succeed."""

from shared.values.problems import Problem
from shared.values.wire import Label


class SignInFailedError(Problem):
    """The answer of the provider does not belong to a sign-in that this browser began, or is not valid."""

    code, status = "sign_in_failed", 400
    title = Label(fr="La connexion n'a pas abouti", en="The sign-in did not succeed")
    detail = Label(
        fr="Cette tentative de connexion n'a pas été commencée ici, a déjà servi, ou date de plus de dix minutes."
        " Recommencez depuis la page de connexion.",
        en="This sign-in was not begun here, was used already, or is more than ten minutes old. Start again from the"
        " sign-in page.",
    )


class SignInRefusedError(Problem):
    """The provider did not sign the person in."""

    code, status = "sign_in_refused", 403
    title = Label(fr="Connexion refusée", en="Sign-in refused")
    detail = Label(
        fr="Le fournisseur d'identité ne vous a pas connecté. Si vous avez annulé, recommencez quand vous voulez ;"
        " sinon, adressez-vous au service informatique de votre établissement.",
        en="The identity provider did not sign you in. If you cancelled, start again when you like; otherwise ask the"
        " IT service of your institution.",
    )


class ProviderUnavailableError(Problem):
    """The provider does not answer, or not as OpenID Connect asks."""

    code, status = "provider_unavailable", 503
    title = Label(fr="Connexion momentanément impossible", en="Signing in is not possible for the moment")
    detail = Label(
        fr="Le fournisseur d'identité ne répond pas. Réessayez dans un instant.",
        en="The identity provider does not answer. Try again in a moment.",
    )


class UnknownPersonError(Exception):
    """The provider knows this person, the network does not. ``subject``: the person's identifier at ``issuer``."""

    def __init__(self, issuer: str, subject: str) -> None:
        super().__init__("unknown_person")
        self.issuer = issuer
        self.subject = subject
