"""Owns the pages on which a coordinator loads a file: choose, see what was understood, decide, wait, read the end.

Choosing and loading ask for proof anew; looking and cancelling do not, so that no wait is interrupted by it.
"""

from collections.abc import Iterator
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from helpline.access import StaffRequest, needs, only, wants_json
from helpline.directory.forms import codes
from helpline.imports import jobs, uploads
from helpline.imports.jobs import ACT, Busy, NotYours
from helpline.imports.kinds import KINDS, Kind, Result, Unusable
from helpline.models import ImportJob

PAGES = "helpline/import/"
SHOWN_COMPLAINTS = 100
MEGABYTE = 2**20


@needs(ACT)
@only("GET", "HEAD", "POST")
def index(request: StaffRequest) -> HttpResponse:
    """Choose a kind and a file; what cannot be read is said here, and nothing of it is kept."""
    kind = request.POST.get("kind", "")
    errors = list(_missing(request, kind)) if request.method == "POST" else []
    if request.method == "POST" and not errors:
        content = cast(UploadedFile, request.FILES["file"]).read()
        try:
            return redirect("import-job", jobs.put(kind, content, by=request.user, now=timezone.now()).pk)
        except Unusable as error:
            errors.append(("file", str(error)))
        except Busy as busy:
            messages.warning(request, gettext("This import is not done: another file can be loaded after it."))
            return redirect("import-job", busy.job.pk)
    shown = {"kinds": KINDS, "chosen": kind, "errors": errors, "open": jobs.open_of(request.user, now=timezone.now())}
    limit = {"most_bytes": uploads.MOST_BYTES, "too_large": _too_large()}
    return render(request, f"{PAGES}index.html", shown | limit, status=400 if errors else 200)


def _missing(request: StaffRequest, kind: str) -> Iterator[tuple[str, str]]:
    """What is wrong with what was sent, by its field."""
    if kind not in KINDS:
        yield "kind", gettext("Choose what the file holds.")
    if uploads.is_too_large(request):
        yield "file", _too_large()
    elif "file" not in request.FILES:
        yield "file", gettext("Choose a file.")


def _too_large() -> str:
    wording = gettext("The file is larger than %(megabytes)d MB: divide it, or save only the rows in a new file.")
    return wording % {"megabytes": uploads.MOST_BYTES // MEGABYTE}


@needs("import.own")
@only("GET", "HEAD")
def job(request: StaffRequest, key: UUID) -> HttpResponse:
    """One import, as it stands: the preview with its choices, how far it has come, or how it ended."""
    found = _own(request, key)
    if wants_json(request):
        return JsonResponse({"state": found.state, "percent": jobs.percent(found), "said": _stands(found)})
    shown = {"job": found, "kind": KINDS[found.kind]}
    if found.state == ImportJob.READY:
        return _preview(request, found, shown)
    if found.state in ImportJob.OPEN:
        return render(request, f"{PAGES}running.html", shown | {"percent": _percent(found), "said": _stands(found)})
    return render(request, f"{PAGES}ended.html", shown | {"counts": counted(found)})


@needs(ACT)
@only("POST")
def load(request: StaffRequest, key: UUID) -> HttpResponse:
    """Let the worker store the file, with or without what is refused in it."""
    found, act = _own(request, key), request.POST.get("act", "")
    if act in ("load", "skip") and not jobs.start(found, skips_refused=act == "skip", now=timezone.now()):
        messages.warning(request, gettext("Nothing was begun: this is how the import stands."))
    return redirect("import-job", found.pk)


@needs("import.own")
@only("POST")
def aim(request: StaffRequest, key: UUID) -> HttpResponse:
    """Read a foreign directory anew, with a kind of receiver for the services that have none."""
    found, target = _own(request, key), request.POST.get("target", "")
    if target not in dict(codes("referral_target")):
        messages.error(request, gettext("Choose a kind of receiver in the list."))
    elif not jobs.aim(found, target, now=timezone.now()):
        messages.warning(request, gettext("Nothing was begun: this is how the import stands."))
    return redirect("import-job", found.pk)


@needs("import.own")
@only("POST")
def cancel(request: StaffRequest, key: UUID) -> HttpResponse:
    """Throw the file away, if no worker has begun with it."""
    found = _own(request, key)
    if not jobs.cancel(found):
        messages.warning(request, gettext("It was too late to cancel."))
    return redirect("import-job", found.pk)


def _own(request: StaffRequest, key: UUID) -> ImportJob:
    try:
        return jobs.own(request.user, key, now=timezone.now())
    except NotYours:
        raise Http404 from None


def _preview(request: StaffRequest, found: ImportJob, shown: dict[str, object]) -> HttpResponse:
    if (looked := jobs.preview(found, now=timezone.now())) is None:
        return redirect("import-job", found.pk)
    complaints = [say() for say in looked.result.complaints[:SHOWN_COMPLAINTS]]
    said = {"result": looked.result, "sample": looked.sample, "complaints": complaints}
    said |= {
        "more": len(looked.result.complaints) - len(complaints),
        "counts": _would(looked.result, KINDS[found.kind]),
    }
    if looked.result.lacks_targets or found.target:
        said["targets"] = [("", gettext("Choose")), *codes("referral_target")]
    return render(request, f"{PAGES}preview.html", shown | said)


# --- in words --------------------------------------------------------------------------------------------------------


def _percent(found: ImportJob) -> int | None:
    return jobs.percent(found) if found.state == ImportJob.RUNNING else None


def _stands(found: ImportJob) -> str:
    """The state of an open import, in words."""
    if found.state == ImportJob.WAITING:
        return gettext("Waits for its turn: it begins within a few seconds.")
    return gettext("Is being stored, all rows or none.") if found.state == ImportJob.RUNNING else gettext("Is done.")


def _would(result: Result, kind: Kind) -> list[str]:
    """What a file would do, each count in a sentence."""
    of = dict.fromkeys(ImportJob.COUNTS, 0) | dict(result.counts)
    stored = ngettext("%(n)d row would be stored.", "%(n)d rows would be stored.", of["stored"]) % {"n": of["stored"]}
    read = ngettext("%(n)d row is read.", "%(n)d rows are read.", of["rows"]) % {"n": of["rows"]}
    return [read, *([] if result.is_whole else [stored, *_note(kind)]), *_beside(of, kind)]


def counted(found: ImportJob) -> list[str]:
    """What an import did, each count in a sentence."""
    of = {name: getattr(found, name) for name in ImportJob.COUNTS}
    read = ngettext("%(n)d row was read.", "%(n)d rows were read.", of["rows"]) % {"n": of["rows"]}
    stored = ngettext("%(n)d row was stored.", "%(n)d rows were stored.", of["stored"]) % {"n": of["stored"]}
    is_done = found.state == ImportJob.DONE
    kind = KINDS[found.kind]
    return [read, *([stored, *_note(kind)] if is_done else []), *_beside(of, kind)]


def _note(kind: Kind) -> list[str]:
    return [gettext(kind.note)] if kind.note else []


def _beside(of: dict[str, int], kind: Kind) -> list[str]:
    wording = {
        "replaced": ngettext(
            "%(n)d of them stands in place of what was there.",
            "%(n)d of them stand in place of what was there.",
            of["replaced"],
        ),
        "late": _late_calls(of["late"]) if kind is KINDS[ImportJob.TRAFFIC] else _late_contacts(of["late"]),
        "already": ngettext("%(n)d row is there already.", "%(n)d rows are there already.", of["already"]),
        "refused": ngettext("%(n)d row is refused.", "%(n)d rows are refused.", of["refused"]),
    }
    return [text % {"n": of[name]} for name, text in wording.items() if of[name]]


def _late_contacts(n: int) -> str:
    return ngettext(
        "%(n)d of them lies in a frozen month and counts in the open one.",
        "%(n)d of them lie in frozen months and count in the open one.",
        n,
    )


def _late_calls(n: int) -> str:
    return ngettext(
        "%(n)d of them lies in a frozen month, which takes one file and no second one: put the whole month in it.",
        "%(n)d of them lie in frozen months, which take one file and no second one: put whole months in it.",
        n,
    )
