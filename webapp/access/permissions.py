"""What can be permitted: the least role that has each permission, and the scopes of tokens that reach to it.

Which endpoint takes which permission is in `rules.py`. docs/security.md has this table for people, and
tests/webapp/access/test_rights.py holds both up against each other and against what REST answers.
"""

from enum import StrEnum

from webapp.access.callers import Caller, Role, Scope
from webapp.access.refusals import Refused


class Permission(StrEnum):
    """What an endpoint, or an event of the page, takes."""

    OPEN = "open"  # nobody need sign in
    BASIC = "basic"  # who one is, the description of REST, the files of the page
    OVERVIEW = "overview"  # lists and figures of all projects: of those that the caller sees
    READ = "read"
    UPLOAD = "upload"
    INSPECT = "inspect"
    ANNOTATE = "annotate"
    TRAIN = "train"
    SETTINGS = "settings"  # of a project: thresholds, versions in use, its members
    INSTALLATION = "installation"  # making projects, models, webhooks
    USERS = "users"  # accounts, tokens, the audit log
    ACCOUNT = "account"  # one's own password
    PAGE = "page"
    PAGE_FILES = "page files"  # sent to the page before an event names them


P, R = Permission, Role
LEAST_ROLE: dict[Permission, Role] = {
    P.OPEN: R.ANYONE,
    P.BASIC: R.VIEWER,
    P.OVERVIEW: R.VIEWER,
    P.READ: R.VIEWER,
    P.UPLOAD: R.ANNOTATOR,
    P.INSPECT: R.ANNOTATOR,
    P.ANNOTATE: R.ANNOTATOR,
    P.TRAIN: R.ANNOTATOR,
    P.SETTINGS: R.ADMIN,
    P.INSTALLATION: R.ADMIN,
    P.USERS: R.ADMIN,
    P.ACCOUNT: R.VIEWER,
    P.PAGE: R.VIEWER,
    P.PAGE_FILES: R.ANNOTATOR,
}
_EVERY_TOKENS = {P.OPEN, P.BASIC}
REACH: dict[Scope, set[Permission]] = {
    Scope.LINE: {*_EVERY_TOKENS, P.UPLOAD, P.INSPECT},
    Scope.READ: {*_EVERY_TOKENS, P.OVERVIEW, P.READ},
    Scope.ANNOTATE: {*_EVERY_TOKENS, P.OVERVIEW, P.READ, P.UPLOAD, P.INSPECT, P.ANNOTATE},
    Scope.ALL: set(Permission),
}
# Each of these is asked for in one project, where the role in that project counts.
# Files reach the page before an event says for which, so who may send some in any project may send them there.
IN_A_PROJECT = {P.READ, P.UPLOAD, P.INSPECT, P.ANNOTATE, P.TRAIN, P.SETTINGS, P.PAGE_FILES}
# These concern all projects, so a token for one project has none of them.
IN_THE_INSTALLATION = {P.INSTALLATION, P.USERS, P.ACCOUNT}


def require(caller: Caller, permission: Permission, role: Role) -> None:
    """Let pass who has a permission.

    Args:
        caller: who asks.
        permission: what for.
        role: theirs, where they ask for it.

    Raises:
        Refused: their token does not reach to it, or the role is too small.
    """
    if permission not in REACH[caller.scope]:
        scopes = ", ".join(scope for scope, reached in REACH.items() if permission in reached)
        raise Refused("token-scope", "access.token_scope", scope=caller.scope, scopes=scopes)
    if permission in IN_THE_INSTALLATION and caller.one_project is not None:
        raise Refused("token-project", "access.token_installation", project=caller.one_project.name)
    if role < LEAST_ROLE[permission]:
        raise Refused("not-allowed", "access.needs_role", needed=LEAST_ROLE[permission], name=caller.name, role=role)
