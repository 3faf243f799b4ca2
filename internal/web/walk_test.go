package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Who comes, in the order of the columns of the walk.
var walkers = []string{"administrator", "lead", "technician", "referent", "declarant", ""}

// walks says, for every page, what each of the walkers gets: a status, or "in"
// for being sent to sign in. {own} is an incident that the declarant declared
// in the referent's school, {beside} one that a colleague declared there,
// {foreign} one of another school; {a} and {b} are the two schools. Forms are
// sent so that they change nothing: what a walker may do is refused as badly
// filled (422).
//
// A page that has no line here fails the test: decide who may open it.
var walks = []struct {
	pattern string
	address string
	form    string
	want    string // administrator lead technician referent declarant stranger
}{
	{"GET /login", "/login", "", "303 303 303 303 303 200"},
	{"POST /login", "/login", "login=nobody&password=wrong", "401 401 401 401 401 429"}, // the sixth is one too many
	{"GET /login/code", "/login/code", "", "in in in in in in"},                         // nobody's second factor is awaited
	{"POST /login/code", "/login/code", "code=123456", "in in in in in in"},
	{"GET /login/oidc", "/login/oidc", "", "404 404 404 404 404 404"}, // there is no provider
	{"GET /login/oidc/back", "/login/oidc/back?code=x&state=y", "", "404 404 404 404 404 404"},
	{"GET /first-run", "/first-run", "", "404 404 404 404 404 404"},
	{"POST /first-run", "/first-run", "code=AAAA", "404 404 404 404 404 404"},
	{"GET /account", "/account", "", "200 200 200 200 200 in"},
	{"POST /account/look", "/account/look", "locale=xx", "422 422 422 422 422 in"},
	{"POST /account/password", "/account/password", "former=no", "422 422 422 422 422 in"},
	{"POST /account/tokens", "/account/tokens", "label=", "422 422 422 422 403 in"},
	{"GET /account/tokens/{id}/revoke", "/account/tokens/9999/revoke", "", "404 404 404 404 404 in"},
	{"POST /account/tokens/{id}/revoke", "/account/tokens/9999/revoke", "", "404 404 404 404 404 in"},
	{"GET /account/factor", "/account/factor", "", "200 200 200 200 200 in"},
	{"POST /account/factor", "/account/factor", "code=1", "422 422 422 422 422 in"},
	{"POST /account/factor/recovery", "/account/factor/recovery", "code=1", "422 422 422 422 422 in"},
	{"POST /account/factor/remove", "/account/factor/remove", "code=1", "422 422 422 422 422 in"},
	{"GET /account/messages", "/account/messages", "", "200 200 200 200 200 in"},
	{"POST /account/messages", "/account/messages", "received=nonsense", "422 422 422 422 422 in"},
	{"GET /answer/{token}", "/answer/nonsense", "", "404 404 404 404 404 404"},
	{"POST /answer/{token}", "/answer/nonsense", "remark=", "404 404 404 404 404 404"},
	{"GET /outbox", "/outbox", "", "200 200 200 200 200 in"},
	{"GET /outbox/{id}", "/outbox/9999", "", "404 404 404 404 404 in"},
	{"GET /admin/mail", "/admin/mail", "", "200 403 403 403 403 in"},
	{"GET /admin/mail", "/admin/mail?tab=messages", "", "200 403 403 403 403 in"},
	{"GET /admin/mail", "/admin/mail?tab=words", "", "200 403 403 403 403 in"},
	{"GET /admin/mail", "/admin/mail?tab=defaults", "", "200 403 403 403 403 in"},
	{"GET /admin/mail", "/admin/mail?tab=bounces", "", "200 403 403 403 403 in"},
	{"POST /admin/mail", "/admin/mail", "site=", "422 403 403 403 403 in"},
	{"POST /admin/mail/test", "/admin/mail/test", "to=nobody", "422 403 403 403 403 in"},
	{"POST /admin/mail/trust", "/admin/mail/trust", "address=a@b.example", "404 403 403 403 403 in"},
	{"POST /admin/mail/defaults", "/admin/mail/defaults", "role=nonsense", "422 403 403 403 403 in"},
	{"GET /admin/mail/words/{kind}", "/admin/mail/words/received", "", "200 403 403 403 403 in"},
	{"GET /admin/mail/words/{kind}", "/admin/mail/words/nonsense", "", "404 403 403 403 403 in"},
	{"POST /admin/mail/words/{kind}", "/admin/mail/words/received", "subject={nonsense}&body=x", "422 403 403 403 403 in"},
	{"POST /admin/mail/words/{kind}/reset", "/admin/mail/words/nonsense/reset", "lang=fr", "404 403 403 403 403 in"},
	{"GET /account/data", "/account/data", "", "200 200 200 200 200 in"},
	{"POST /account/data", "/account/data", "", "200 200 200 200 200 in"},
	{"GET /admin/privacy", "/admin/privacy?q=secret", "", "200 403 403 403 403 in"},
	{"POST /admin/privacy/export", "/admin/privacy/export", "who=person.99999", "404 403 403 403 403 in"},
	{"GET /admin/privacy/erasures", "/admin/privacy/erasures", "", "200 403 403 403 403 in"},
	{"POST /admin/privacy/erasures", "/admin/privacy/erasures", "who=person.99999", "404 403 403 403 403 in"},
	{"GET /admin/privacy/erasures/{id}", "/admin/privacy/erasures/9999", "", "404 403 403 403 403 in"},
	{"POST /admin/privacy/erasures/{id}/confirm", "/admin/privacy/erasures/9999/confirm", "confirmation=x", "404 403 403 403 403 in"},
	{"GET /admin/privacy/exports", "/admin/privacy/exports", "", "200 403 403 403 403 in"},
	{"GET /admin/privacy/exports.csv", "/admin/privacy/exports.csv", "", "200 403 403 403 403 in"},
	{"GET /admin/privacy/exports.xlsx", "/admin/privacy/exports.xlsx", "", "200 403 403 403 403 in"},
	{"GET /admin/privacy/retention", "/admin/privacy/retention", "", "200 403 403 403 403 in"},
	{"POST /admin/privacy/retention", "/admin/privacy/retention", "files=never", "422 403 403 403 403 in"},
	{"GET /admin/privacy/old", "/admin/privacy/old?old_people=1095&old_words=0", "", "200 403 403 403 403 in"},
	{"POST /admin/privacy/old", "/admin/privacy/old", "old_people=1095&old_words=0", "422 403 403 403 403 in"},
	{"POST /admin/privacy/retention/run", "/admin/privacy/retention/run", "", "303 403 403 403 403 in"},
	{"POST /admin/privacy/erasures/{id}/cancel", "/admin/privacy/erasures/9999/cancel", "", "404 403 403 403 403 in"},
	{"GET /admin/jobs", "/admin/jobs", "", "200 403 403 403 403 in"},
	{"POST /admin/jobs/retry", "/admin/jobs/retry", "kind=none", "303 403 403 403 403 in"},
	{"POST /admin/jobs/{id}/retry", "/admin/jobs/9999/retry", "", "404 403 403 403 403 in"},
	{"POST /admin/jobs/{id}/cancel", "/admin/jobs/9999/cancel", "", "404 403 403 403 403 in"},
	{"GET /menu", "/menu", "", "200 200 200 200 200 in"},
	{"POST /nav", "/nav", "back=/menu", "303 303 303 303 303 in"},
	{"GET /search", "/search?q=secret", "", "200 200 200 200 200 in"},
	{"GET /search.csv", "/search.csv?q=secret", "", "200 200 200 200 403 in"},
	{"GET /search.xlsx", "/search.xlsx?q=secret", "", "200 200 200 200 403 in"},
	{"GET /go", "/go?q=secret", "", "200 200 200 200 200 in"},
	{"GET /live", "/live", "", "200 200 200 200 200 in"},
	{"GET /overview", "/overview", "", "200 200 200 200 403 in"},
	{"GET /overview/latest", "/overview/latest", "", "200 200 200 200 403 in"},
	{"GET /explore", "/explore", "", "200 200 200 200 403 in"},
	{"GET /explore.csv", "/explore.csv", "", "200 200 200 200 403 in"},
	{"GET /explore.xlsx", "/explore.xlsx", "", "200 200 200 200 403 in"},
	{"GET /declare", "/declare", "", "200 200 200 200 200 in"},
	{"POST /declare", "/declare", "title=", "422 422 422 422 422 in"},
	{"POST /declare/also", "/declare/also", "also={foreign}&room=99999", "422 422 422 404 404 in"},
	{"GET /declare/kind", "/declare/kind?school={b}&title=imprimante", "", "200 200 200 200 200 in"},
	{"GET /phone", "/phone?caller=school:{b}", "", "200 200 200 403 403 in"},
	{"POST /phone", "/phone", "who=nobody", "422 422 422 403 403 in"},
	{"GET /phone/who", "/phone/who?who=martin", "", "200 200 200 403 403 in"},
	{"GET /q/{token}", "/q/{label}", "", "303 303 303 303 303 200"},
	{"GET /q/{token}", "/q/AAAA", "", "404 404 404 404 404 404"},
	{"POST /q/{token}", "/q/{label}", "title=", "422 422 422 422 422 422"},
	{"POST /q/{token}", "/q/AAAA", "title=x", "404 404 404 404 404 404"},
	{"GET /q/confirm/{token}", "/q/confirm/AAAA", "", "404 404 404 404 404 404"},
	{"POST /q/confirm/{token}", "/q/confirm/{label}", "", "404 404 404 404 404 404"},
	{"GET /q/follow/{token}", "/q/follow/{label}", "", "404 404 404 404 404 404"},
	{"GET /labels", "/labels?school={a}", "", "200 200 200 200 403 in"},
	{"GET /labels", "/labels?school={b}", "", "200 200 200 200 403 in"}, // a referent of one school sees theirs
	{"POST /labels", "/labels", "school={b}&machines=X", "303 303 303 404 403 in"},
	{"POST /labels", "/labels", "school={a}", "422 422 422 422 403 in"},
	{"POST /labels/code", "/labels/code", "school={b}", "303 303 303 404 403 in"},
	{"GET /labels/{id}/revoke", "/labels/1/revoke", "", "200 200 200 200 403 in"},
	{"GET /labels/{id}/revoke", "/labels/2/revoke", "", "200 200 200 404 403 in"},
	{"POST /labels/{id}/revoke", "/labels/9999/revoke", "", "404 404 404 404 403 in"},
	{"POST /labels/waiting/{id}/decide", "/labels/waiting/9999/decide", "then=refuse", "404 404 404 404 403 in"},
	{"GET /labels/sheet", "/labels/sheet?l=1", "", "200 200 200 200 403 in"},
	{"GET /labels/sheet", "/labels/sheet?l=1,2", "", "200 200 200 404 403 in"},
	{"GET /labels/sheet.svg", "/labels/sheet.svg?l=1&page=1", "", "200 200 200 200 403 in"},
	{"GET /labels/sheet.svg", "/labels/sheet.svg?l=2&page=1", "", "200 200 200 404 403 in"},
	{"GET /labels/sheet.pdf", "/labels/sheet.pdf?l=1", "", "200 200 200 200 403 in"},
	{"GET /labels/sheet.pdf", "/labels/sheet.pdf?l=2", "", "200 200 200 404 403 in"},
	{"GET /declare/help", "/declare/help?title=imprimante", "", "200 200 200 200 200 in"},
	{"POST /declare/solved", "/declare/solved", "solved={secretadvice}", "303 303 303 404 404 in"},
	{"POST /declare/solved", "/declare/solved", "solved=999999", "404 404 404 404 404 in"},
	{"GET /declare/near", "/declare/near?school={b}&category=1", "", "200 200 200 200 200 in"},
	{"GET /declare/{id}", "/declare/{own}", "", "200 200 200 200 200 in"},
	{"GET /declare/{id}", "/declare/{beside}", "", "200 200 200 200 404 in"},
	{"GET /declare/{id}", "/declare/{foreign}", "", "200 200 200 404 404 in"},
	{"POST /declare", "/declare", "title=Elsewhere&school={none}", "422 422 422 422 422 in"},
	{"GET /incidents", "/incidents?period=all", "", "200 200 200 200 200 in"},
	{"GET /incidents.csv", "/incidents.csv?period=all", "", "200 200 200 200 403 in"},
	{"GET /incidents.xlsx", "/incidents.xlsx?period=all", "", "200 200 200 200 403 in"},
	{"GET /incidents/{id}", "/incidents/{own}", "", "200 200 200 200 200 in"},
	{"GET /incidents/{id}", "/incidents/{beside}", "", "200 200 200 200 404 in"},
	{"GET /incidents/{id}", "/incidents/{foreign}", "", "200 200 200 404 404 in"},
	{"GET /incidents/{id}/live", "/incidents/{own}/live", "", "200 200 200 200 200 in"},
	{"GET /incidents/{id}/live", "/incidents/{beside}/live", "", "200 200 200 200 404 in"},
	{"GET /incidents/{id}/live", "/incidents/{foreign}/live", "", "200 200 200 404 404 in"},
	{"POST /incidents/{id}/act", "/incidents/{own}/act", "action=comment&comment=", "422 422 422 422 422 in"},
	{"POST /incidents/{id}/act", "/incidents/{own}/act", "action=resolve", "422 422 422 403 403 in"},
	{"POST /incidents/{id}/act", "/incidents/{own}/act", "action=nonsense", "422 422 422 422 422 in"},
	{"POST /incidents/{id}/act", "/incidents/{own}/act", "action=hand_over&tried=", "409 409 409 409 409 in"}, // it is not at its school
	{"POST /incidents/{id}/act", "/incidents/{foreign}/act", "action=hand_over&tried=x", "409 409 409 404 404 in"},
	{"POST /incidents/{id}/act", "/incidents/{own}/act", "action=acknowledge", "409 409 409 409 409 in"},
	{"POST /incidents/{id}/act", "/incidents/{beside}/act", "action=comment&comment=", "422 422 422 422 404 in"},
	{"POST /incidents/{id}/act", "/incidents/{foreign}/act", "action=comment&comment=hello", "303 303 303 404 404 in"},
	{"POST /incidents/{id}/undo", "/incidents/{own}/undo", "version=1", "409 409 409 409 409 in"},
	{"POST /incidents/{id}/undo", "/incidents/{foreign}/undo", "version=1", "409 409 409 404 404 in"},
	{"POST /incidents/{id}/solutions", "/incidents/{own}/solutions", "do=refuse&resolution_code=0", "422 422 422 403 403 in"},
	{"POST /incidents/{id}/solutions", "/incidents/{own}/solutions", "do=nonsense", "422 422 422 403 403 in"},
	{"POST /incidents/{id}/solutions", "/incidents/{foreign}/solutions", "do=apply", "422 422 422 403 403 in"},
	{"POST /incidents/{id}/presence", "/incidents/{own}/presence", "", "200 200 200 403 403 in"},
	{"POST /incidents/{id}/presence", "/incidents/9999/presence", "", "404 404 404 403 403 in"},
	{"POST /incidents/views", "/incidents/views", "name=&query=open=yes&audience=own", "422 422 422 422 422 in"},
	{"POST /incidents/views", "/incidents/views", "name=x&query=&audience=school:{b}", "303 303 303 422 422 in"},
	{"POST /incidents/views/{id}/remove", "/incidents/views/9999/remove", "", "404 404 404 404 404 in"},
	{"POST /incidents/read", "/incidents/read", "since=nonsense", "422 422 422 422 422 in"},
	{"GET /incidents/{id}/edit", "/incidents/{own}/edit", "", "200 200 200 403 403 in"},
	{"GET /incidents/{id}/edit", "/incidents/{foreign}/edit", "", "200 200 200 403 403 in"},
	{"POST /incidents/{id}/edit", "/incidents/{own}/edit", "title=", "422 422 422 403 403 in"},
	{"POST /incidents/{id}/edit", "/incidents/{foreign}/edit", "title=", "422 422 422 403 403 in"},
	{"GET /attachments/{id}", "/attachments/{file}", "", "200 200 200 200 200 in"},
	{"GET /attachments/{id}", "/attachments/{foreignfile}", "", "200 200 200 404 404 in"},
	{"GET /attachments/{id}", "/attachments/{hiddenfile}", "", "200 200 200 404 404 in"},
	{"GET /attachments/{id}/thumb", "/attachments/{file}/thumb", "", "200 200 200 200 200 in"},
	{"GET /attachments/{id}/thumb", "/attachments/{foreignfile}/thumb", "", "200 200 200 404 404 in"},
	{"GET /attachments/{id}/remove", "/attachments/{file}/remove", "", "200 200 200 403 403 in"},
	{"GET /attachments/{id}/remove", "/attachments/{foreignfile}/remove", "", "200 200 200 404 404 in"},
	{"POST /attachments/{id}/remove", "/attachments/9999/remove", "", "404 404 404 404 404 in"},
	{"POST /incidents/{id}/affected", "/incidents/{own}/affected", "room=9999", "422 422 422 422 422 in"},
	{"POST /incidents/{id}/affected", "/incidents/{foreign}/affected", "room=9999", "422 422 422 404 404 in"},
	{"POST /incidents/{id}/link", "/incidents/{own}/link", "kind=related&other=", "422 422 422 403 403 in"},
	{"POST /incidents/{id}/unlink", "/incidents/{own}/unlink", "kind=", "422 422 422 403 403 in"},
	{"GET /incidents/{id}/split", "/incidents/{own}/split", "", "200 200 200 403 403 in"},
	{"POST /incidents/{id}/split", "/incidents/{own}/split", "title=", "422 422 422 403 403 in"},
	{"POST /incidents/{id}/rate", "/incidents/{own}/rate", "rating=", "422 422 422 422 422 in"},
	{"POST /incidents/{id}/rate", "/incidents/{foreign}/rate", "rating=", "422 422 422 404 404 in"},
	{"GET /incidents/{id}/people", "/incidents/{own}/people?q=a", "", "200 200 200 200 200 in"},
	{"GET /incidents/{id}/people", "/incidents/{foreign}/people", "", "200 200 200 404 404 in"},
	{"GET /incidents/bulk", "/incidents/bulk?ids={own}", "", "200 200 200 403 403 in"},
	{"POST /incidents/bulk", "/incidents/bulk", "ids={own}&action=nonsense&step=preview", "422 422 422 403 403 in"},
	{"GET /batches/{id}", "/batches/9999", "", "404 404 404 403 403 in"},
	{"GET /batches/{id}/progress", "/batches/9999/progress", "", "404 404 404 403 403 in"},
	{"POST /batches/{id}/undo", "/batches/9999/undo", "", "404 404 404 403 403 in"},
	{"POST /incidents/{id}/spread", "/incidents/{own}/spread", "", "422 422 422 403 403 in"},
	{"POST /incidents/{id}/message", "/incidents/{own}/message", "comment=", "422 422 422 403 403 in"},
	{"POST /incidents/{id}/problem", "/incidents/{own}/problem", "problem=", "422 422 422 403 403 in"},
	{"GET /problems", "/problems", "", "200 200 200 403 403 in"},
	{"GET /problems.csv", "/problems.csv", "", "200 200 200 403 403 in"},
	{"GET /problems.xlsx", "/problems.xlsx", "", "200 200 200 403 403 in"},
	{"GET /problems/new", "/problems/new?incident={own}", "", "200 200 200 403 403 in"},
	{"POST /problems/new", "/problems/new", "title=", "422 422 422 403 403 in"},
	{"GET /problems/{id}", "/problems/9999", "", "404 404 404 403 403 in"},
	{"GET /problems/{id}/edit", "/problems/9999/edit", "", "404 404 404 403 403 in"},
	{"POST /problems/{id}/edit", "/problems/9999/edit", "title=", "404 404 404 403 403 in"},
	{"POST /problems/{id}/link", "/problems/9999/link", "incidents=1", "404 404 404 403 403 in"},
	{"POST /problems/{id}/unlink", "/problems/9999/unlink", "incident={own}", "404 404 404 403 403 in"},
	{"GET /presets", "/presets", "", "200 200 200 403 403 in"},
	{"GET /presets/new", "/presets/new?kind=template", "", "200 200 200 403 403 in"},
	{"POST /presets/new", "/presets/new", "kind=macro&label=", "422 422 422 403 403 in"},
	{"GET /presets/{id}", "/presets/9999", "", "404 404 404 403 403 in"},
	{"POST /presets/{id}", "/presets/9999", "label=", "404 404 404 403 403 in"},
	{"POST /presets/{id}/remove", "/presets/9999/remove", "", "404 404 404 403 403 in"},
	{"POST /incidents/{id}/macro", "/incidents/{own}/macro", "macro=9999", "404 404 404 403 403 in"},
	{"GET /mentions", "/mentions", "", "200 200 200 200 200 in"},
	{"GET /stock", "/stock", "", "200 200 200 403 403 in"},
	{"GET /stock.csv", "/stock.csv", "", "200 200 200 403 403 in"},
	{"GET /stock.xlsx", "/stock.xlsx", "", "200 200 200 403 403 in"},
	{"GET /stock/items/new", "/stock/items/new", "", "200 200 200 403 403 in"},
	{"GET /stock/items/{id}", "/stock/items/{item}", "", "200 200 200 403 403 in"},
	{"GET /stock/items/{id}/edit", "/stock/items/{item}/edit", "", "200 200 200 403 403 in"},
	{"GET /stock/movements", "/stock/movements", "", "200 200 200 403 403 in"},
	{"GET /stock/movements.csv", "/stock/movements.csv", "", "200 200 200 403 403 in"},
	{"GET /stock/movements.xlsx", "/stock/movements.xlsx", "", "200 200 200 403 403 in"},
	{"GET /stock/movements/{id}/reverse", "/stock/movements/{movement}/reverse", "", "200 200 200 403 403 in"},
	{"GET /stock/consumption", "/stock/consumption", "", "200 200 200 403 403 in"},
	{"GET /stock/consumption.csv", "/stock/consumption.csv", "", "200 200 200 403 403 in"},
	{"GET /stock/consumption.xlsx", "/stock/consumption.xlsx", "", "200 200 200 403 403 in"},
	{"GET /stock/places", "/stock/places", "", "200 200 200 403 403 in"},
	{"GET /stock/places/new", "/stock/places/new", "", "200 200 200 403 403 in"},
	{"GET /stock/places/{id}", "/stock/places/{place}", "", "200 200 200 403 403 in"},
	{"GET /stock/places/{id}/edit", "/stock/places/{place}/edit", "", "200 200 200 403 403 in"},
	{"GET /stock/places/{id}/count", "/stock/places/{place}/count", "", "200 200 200 403 403 in"},
	{"GET /stock/receive", "/stock/receive", "", "200 200 200 403 403 in"},
	{"GET /incidents/{id}/parts", "/incidents/{own}/parts", "", "200 200 200 403 403 in"},
	{"POST /stock/items/new", "/stock/items/new", "name=", "422 422 422 403 403 in"},
	{"POST /stock/items/{id}/edit", "/stock/items/{item}/edit", "name=", "422 422 422 403 403 in"},
	{"POST /stock/items/{id}/book", "/stock/items/{item}/book", "kind=receive", "422 422 422 403 403 in"},
	{"POST /stock/places/new", "/stock/places/new", "name=", "422 422 422 403 403 in"},
	{"POST /stock/places/{id}/edit", "/stock/places/{place}/edit", "name=", "422 422 422 403 403 in"},
	{"POST /stock/places/{id}/count", "/stock/places/{place}/count", "step=book", "422 422 422 403 403 in"},
	{"GET /stock/import", "/stock/import", "", "200 200 200 403 403 in"},
	{"POST /stock/import", "/stock/import", "file=", "422 422 422 403 403 in"},
	{"POST /stock/import/confirm", "/stock/import/confirm", "key=none", "422 422 422 403 403 in"},
	{"POST /stock/receive", "/stock/receive", "to={place}", "422 422 422 403 403 in"},
	{"POST /incidents/{id}/parts", "/incidents/{own}/parts", "item=", "422 422 422 403 403 in"},
	{"POST /incidents/{id}/parts", "/incidents/{foreign}/parts", "item=", "422 422 422 403 403 in"},
	{"POST /stock/movements/{id}/reverse", "/stock/movements/9999/reverse", "", "404 404 404 403 403 in"},
	{"GET /knowledge", "/knowledge", "", "200 200 200 200 200 in"},
	{"GET /knowledge.csv", "/knowledge.csv", "", "200 200 200 200 403 in"},
	{"GET /knowledge.xlsx", "/knowledge.xlsx", "", "200 200 200 200 403 in"},
	{"GET /knowledge/new", "/knowledge/new?incident={foreign}", "", "200 200 200 403 403 in"},
	{"POST /knowledge/new", "/knowledge/new", "title=", "422 422 422 403 403 in"},
	{"GET /knowledge/{id}", "/knowledge/{advice}", "", "200 200 200 200 200 in"},
	{"GET /knowledge/{id}", "/knowledge/{secretadvice}", "", "200 200 200 404 404 in"},
	{"POST /knowledge/{id}/use", "/knowledge/{advice}/use", "use=nonsense", "422 422 422 422 422 in"},
	{"POST /knowledge/{id}/use", "/knowledge/{secretadvice}/use", "use=helped", "303 303 303 404 404 in"},
	{"POST /knowledge/{id}/use", "/knowledge/{advice}/use", "use=applied&incident={foreign}", "303 303 303 404 404 in"},
	{"GET /knowledge/{id}/edit", "/knowledge/{advice}/edit", "", "200 200 200 403 403 in"},
	{"POST /knowledge/{id}/edit", "/knowledge/{advice}/edit", "title=", "422 422 422 403 403 in"},
	{"POST /knowledge/{id}/turn", "/knowledge/{advice}/turn", "state=nonsense", "422 422 422 403 403 in"},
	{"POST /knowledge/starters", "/knowledge/starters", "", "303 303 303 403 403 in"},
	{"GET /schools", "/schools", "", "200 200 200 303 403 in"}, // a referent of one school goes straight to it
	{"GET /schools.csv", "/schools.csv", "", "200 200 200 200 403 in"},
	{"GET /schools.xlsx", "/schools.xlsx", "", "200 200 200 200 403 in"},
	{"GET /signals", "/signals", "", "200 200 200 200 403 in"},
	{"GET /signals", "/signals?view=history", "", "200 200 200 200 403 in"},
	{"GET /signals.csv", "/signals.csv", "", "200 200 200 200 403 in"},
	{"GET /signals.xlsx", "/signals.xlsx", "", "200 200 200 200 403 in"},
	{"GET /signals/bench", "/signals/bench", "", "200 200 200 404 403 in"}, // of all schools together
	{"GET /signals/bench.csv", "/signals/bench.csv", "", "200 200 200 404 403 in"},
	{"GET /signals/bench.xlsx", "/signals/bench.xlsx", "", "200 200 200 404 403 in"},
	{"GET /signals/{id}", "/signals/1", "", "200 200 200 200 403 in"}, // of school a, the referent's
	{"GET /signals/{id}", "/signals/2", "", "200 200 200 404 403 in"}, // of school b
	{"GET /signals/{id}", "/signals/3", "", "200 200 200 404 403 in"}, // of both
	{"GET /signals/{id}", "/signals/4", "", "200 200 200 404 403 in"}, // of the whole département
	{"GET /signals/{id}", "/signals/9999", "", "404 404 404 404 403 in"},
	{"GET /signals/follow", "/signals/follow", "", "200 200 200 200 403 in"},
	{"POST /signals/follow", "/signals/follow", "mode=nonsense", "422 422 422 422 403 in"},
	{"POST /signals/follow", "/signals/follow", "mode=weekly&school={b}", "422 303 303 422 403 in"}, // the administrator is nobody of the directory
	{"POST /signals/{id}/judge", "/signals/1/judge", "verdict=nonsense", "422 422 422 403 403 in"},
	{"POST /signals/{id}/judge", "/signals/2/judge", "verdict=", "422 422 422 403 403 in"},
	{"POST /signals/{id}/judge", "/signals/9999/judge", "verdict=true", "404 404 404 403 403 in"},
	{"GET /schools/compare", "/schools/compare", "", "200 200 200 200 403 in"}, // a referent reads of their own school only
	{"GET /schools/compare.csv", "/schools/compare.csv", "", "200 200 200 200 403 in"},
	{"GET /renewal", "/renewal?new=800", "", "200 200 200 200 403 in"},
	{"GET /renewal.csv", "/renewal.csv", "", "200 200 200 200 403 in"},
	{"GET /renewal.xlsx", "/renewal.xlsx", "", "200 200 200 200 403 in"},
	{"GET /renewal/machines", "/renewal/machines", "", "200 200 403 403 403 in"},
	{"POST /renewal/machines", "/renewal/machines", "file=", "422 422 403 403 403 in"},
	{"POST /renewal/machines/confirm", "/renewal/machines/confirm", "key=none", "422 422 403 403 403 in"},
	{"GET /times", "/times?by=team", "", "200 200 200 200 403 in"},
	{"GET /times.csv", "/times.csv", "", "200 200 200 200 403 in"},
	{"GET /times.xlsx", "/times.xlsx", "", "200 200 200 200 403 in"},
	{"GET /times/risk", "/times/risk", "", "200 200 200 200 403 in"},
	{"GET /schools/compare.xlsx", "/schools/compare.xlsx", "", "200 200 200 200 403 in"},
	{"GET /rates", "/rates", "", "200 200 200 200 403 in"},
	{"GET /rates", "/rates?school={b}", "", "200 200 200 200 403 in"}, // a referent gets no figure of another school
	{"GET /rates.csv", "/rates.csv", "", "200 200 200 200 403 in"},
	{"GET /rates.xlsx", "/rates.xlsx", "", "200 200 200 200 403 in"},
	{"GET /before-after", "/before-after?day=2026-02-03&changed={b}", "", "200 200 200 200 403 in"},
	{"GET /before-after.csv", "/before-after.csv?day=2026-02-03&changed={b}", "", "200 200 200 200 403 in"},
	{"GET /before-after.xlsx", "/before-after.xlsx?day=2026-02-03&changed={b}", "", "200 200 200 200 403 in"},
	{"GET /analyses", "/analyses", "", "200 200 200 200 403 in"},
	{"GET /forecast", "/forecast", "", "200 200 200 403 403 in"},
	{"GET /forecast.csv", "/forecast.csv", "", "200 200 200 403 403 in"},
	{"GET /forecast.xlsx", "/forecast.xlsx", "", "200 200 200 403 403 in"},
	{"GET /zones", "/zones", "", "200 200 200 200 403 in"},
	{"GET /zones.csv", "/zones.csv", "", "200 200 200 200 403 in"},
	{"GET /zones.xlsx", "/zones.xlsx", "", "200 200 200 200 403 in"},
	{"GET /common", "/common?period=90d", "", "200 200 200 200 403 in"},
	{"GET /recurrence", "/recurrence?within=10", "", "200 200 200 200 403 in"}, // a referent reads of their own school only
	{"GET /recurrence.csv", "/recurrence.csv", "", "200 200 200 200 403 in"},
	{"GET /recurrence.xlsx", "/recurrence.xlsx", "", "200 200 200 200 403 in"},
	{"POST /recurrence/refuse", "/recurrence/refuse", "incidents=1", "422 422 422 403 403 in"},
	{"POST /recurrence/restore", "/recurrence/restore", "refusal=9999", "303 303 303 403 403 in"},
	{"GET /methods/{name}", "/methods/comparer-les-colleges", "", "200 200 200 200 403 in"},
	{"GET /methods/{name}", "/methods/nonsense", "", "404 404 404 404 403 in"},
	{"GET /methods/replay/{file}", "/methods/replay/late-entry.json", "", "200 200 200 404 403 in"},
	{"GET /methods/replay/{file}", "/methods/replay/nonsense.json", "", "404 404 404 404 403 in"},
	{"GET /schools/{id}", "/schools/{a}", "", "200 200 200 200 403 in"},
	{"GET /schools/{id}", "/schools/{b}", "", "200 200 200 404 403 in"},
	{"GET /schools/{id}/open", "/schools/{a}/open", "", "200 200 200 200 403 in"},
	{"GET /schools/{id}/open", "/schools/{b}/open", "", "200 200 200 404 403 in"},
	{"GET /visits", "/visits", "", "200 200 200 200 403 in"},
	{"GET /visits.csv", "/visits.csv", "", "200 200 200 200 403 in"},
	{"GET /visits.xlsx", "/visits.xlsx", "", "200 200 200 200 403 in"},
	{"GET /visits/new", "/visits/new?school={a}", "", "200 200 200 403 403 in"},
	{"POST /visits/new", "/visits/new", "school={a}&purpose=", "422 422 422 403 403 in"},
	{"GET /visits/clashes", "/visits/clashes?school={a}&start=2026-03-01T09:00&minutes=60", "", "200 200 200 403 403 in"},
	{"GET /visits/day", "/visits/day", "", "200 200 200 403 403 in"},
	{"GET /visits/feed", "/visits/feed", "", "200 200 200 403 403 in"},
	{"POST /visits/feed", "/visits/feed", "", "409 303 303 403 403 in"}, // the administrator is nobody of the unit
	{"POST /visits/feed/close", "/visits/feed/close", "", "409 303 303 403 403 in"},
	{"GET /calendar/{link}", "/calendar/forged.ics", "", "404 404 404 404 404 404"},
	{"GET /visits/{id}", "/visits/{visitA}", "", "200 200 200 200 403 in"},
	{"GET /visits/{id}", "/visits/{visitB}", "", "200 200 200 404 403 in"},
	{"GET /visits/{id}/edit", "/visits/{visitA}/edit", "", "200 200 200 403 403 in"},
	{"POST /visits/{id}/edit", "/visits/{visitA}/edit", "minutes=", "422 422 422 403 403 in"},
	{"POST /visits/{id}/act", "/visits/{visitA}/act", "action=nonsense", "422 422 422 403 403 in"},
	{"POST /visits/{id}/undo", "/visits/{visitA}/undo", "version=9", "409 409 409 403 403 in"},
	{"POST /visits/{id}/add", "/visits/{visitA}/add", "incident={none}", "422 422 422 403 403 in"},
	{"POST /visits/{id}/report", "/visits/99999/report", "report=x", "404 404 404 403 403 in"},
	{"GET /visits/{id}/visit.ics", "/visits/{visitA}/visit.ics", "", "200 200 200 403 403 in"},
	{"POST /time", "/time", "incident={own}&minutes=0", "422 422 422 403 403 in"},
	{"POST /time/timer", "/time/timer", "do=stop", "409 409 409 403 403 in"},
	{"GET /time/{id}", "/time/999", "", "404 404 404 403 403 in"},
	{"POST /time/{id}", "/time/999", "minutes=5", "404 404 404 403 403 in"},
	{"POST /time/{id}/withdraw", "/time/999/withdraw", "", "404 404 404 403 403 in"},
	{"POST /checklists", "/checklists", "template=99&incident={own}", "422 422 422 403 403 in"},
	{"GET /checklists", "/checklists", "", "200 200 200 200 403 in"},
	{"GET /checklists.csv", "/checklists.csv", "", "200 200 200 200 403 in"},
	{"GET /checklists.xlsx", "/checklists.xlsx", "", "200 200 200 200 403 in"},
	{"GET /checklists/{id}", "/checklists/99", "", "404 404 404 403 403 in"},
	{"POST /checklists/{id}/items/{item}", "/checklists/99/items/0", "done=1", "404 404 404 403 403 in"},
	{"POST /checklists/{id}/remove", "/checklists/99/remove", "removed=1", "404 404 404 403 403 in"},
	{"GET /admin/checklists", "/admin/checklists", "", "200 200 403 403 403 in"},
	{"GET /admin/checklists/new", "/admin/checklists/new", "", "200 200 403 403 403 in"},
	{"POST /admin/checklists/new", "/admin/checklists/new", "title=", "422 422 403 403 403 in"},
	{"GET /admin/checklists/{id}", "/admin/checklists/99", "", "404 404 403 403 403 in"},
	{"POST /admin/checklists/{id}", "/admin/checklists/99", "title=", "404 404 403 403 403 in"},
	{"POST /admin/checklists/{id}/archive", "/admin/checklists/99/archive", "archived=1", "404 404 403 403 403 in"},
	{"GET /admin", "/admin", "", "200 200 403 403 403 in"},
	{"GET /admin/accounts", "/admin/accounts", "", "200 403 403 403 403 in"},
	{"GET /admin/accounts/new", "/admin/accounts/new", "", "200 403 403 403 403 in"},
	{"POST /admin/accounts/new", "/admin/accounts/new", "login=", "422 403 403 403 403 in"},
	{"GET /admin/accounts/people", "/admin/accounts/people?person=a", "", "200 403 403 403 403 in"},
	{"GET /admin/accounts/{id}", "/admin/accounts/1", "", "200 403 403 403 403 in"},
	{"POST /admin/accounts/{id}", "/admin/accounts/1", "login=", "422 403 403 403 403 in"},
	{"POST /admin/accounts/{id}/password", "/admin/accounts/1/password", "password=short", "422 403 403 403 403 in"},
	{"GET /admin/accounts/{id}/tokens/{token}", "/admin/accounts/1/tokens/9999", "", "404 403 403 403 403 in"},
	{"POST /admin/accounts/{id}/tokens/{token}", "/admin/accounts/1/tokens/9999", "", "404 403 403 403 403 in"},
	{"GET /admin/accounts/{id}/factor", "/admin/accounts/1/factor", "", "200 403 403 403 403 in"},
	{"POST /admin/accounts/{id}/factor", "/admin/accounts/9999/factor", "", "404 403 403 403 403 in"},
	{"GET /admin/roles", "/admin/roles", "", "200 200 403 403 403 in"},
	{"GET /admin/roles.csv", "/admin/roles.csv", "", "200 200 403 403 403 in"},
	{"GET /admin/roles.xlsx", "/admin/roles.xlsx", "", "200 200 403 403 403 in"},
	{"GET /admin/security", "/admin/security", "", "200 403 403 403 403 in"},
	{"POST /admin/security", "/admin/security", "rules=nonsense", "422 403 403 403 403 in"},
	{"POST /admin/security/try", "/admin/security/try", "login=x", "422 403 403 403 403 in"},
	{"GET /admin/catalog", "/admin/catalog", "", "200 200 403 403 403 in"},
	{"GET /admin/catalog/{kind}/new", "/admin/catalog/cause/new", "", "200 200 403 403 403 in"},
	{"POST /admin/catalog/{kind}/new", "/admin/catalog/category/new", "label=", "422 422 403 403 403 in"},
	{"GET /admin/catalog/{kind}/{id}", "/admin/catalog/category/1", "", "200 200 403 403 403 in"},
	{"POST /admin/catalog/{kind}/{id}", "/admin/catalog/category/1", "label=", "422 422 403 403 403 in"},
	{"POST /admin/catalog/{kind}/{id}/move", "/admin/catalog/category/9999/move", "to=up", "404 404 403 403 403 in"},
	{"POST /admin/catalog/{kind}/{id}/archive", "/admin/catalog/category/9999/archive", "archived=1", "404 404 403 403 403 in"},
	{"GET /admin/portal", "/admin/portal", "", "200 200 403 403 403 in"},
	{"GET /admin/portal/{id}", "/admin/portal/1", "", "200 200 403 403 403 in"},
	{"POST /admin/portal/{id}", "/admin/portal/1", "icon=no+such", "422 422 403 403 403 in"},
	{"POST /admin/portal/{id}/move", "/admin/portal/9999/move", "to=up", "404 404 403 403 403 in"},
	{"POST /admin/portal/{id}/show", "/admin/portal/9999/show", "shown=1", "404 404 403 403 403 in"},
	{"POST /admin/catalog/matrix", "/admin/catalog/matrix", "m11=9", "422 422 403 403 403 in"},
	{"GET /admin/directory", "/admin/directory", "", "200 200 403 403 403 in"},
	{"GET /admin/directory/schools/new", "/admin/directory/schools/new", "", "200 200 403 403 403 in"},
	{"POST /admin/directory/schools/new", "/admin/directory/schools/new", "name=", "422 422 403 403 403 in"},
	{"GET /admin/directory/schools/{id}", "/admin/directory/schools/{a}", "", "200 200 403 403 403 in"},
	{"POST /admin/directory/schools/{id}", "/admin/directory/schools/{a}", "name=", "422 422 403 403 403 in"},
	{"POST /admin/directory/schools/{id}/rooms", "/admin/directory/schools/{a}/rooms", "name=", "422 422 403 403 403 in"},
	{"POST /admin/directory/schools/{id}/counts", "/admin/directory/schools/{a}/counts", "from=", "422 422 403 403 403 in"},
	{"POST /admin/directory/schools/{id}/counts/remove", "/admin/directory/schools/{a}/counts/remove", "from=2001-01-01", "404 404 403 403 403 in"},
	{"GET /admin/directory/rooms/{id}", "/admin/directory/rooms/1", "", "200 200 403 403 403 in"},
	{"POST /admin/directory/rooms/{id}", "/admin/directory/rooms/1", "name=", "422 422 403 403 403 in"},
	{"POST /admin/directory/rooms/{id}/archive", "/admin/directory/rooms/9999/archive", "archived=1", "404 404 403 403 403 in"},
	{"GET /admin/directory/people", "/admin/directory/people", "", "200 200 403 403 403 in"},
	{"GET /admin/directory/people/new", "/admin/directory/people/new", "", "200 200 403 403 403 in"},
	{"POST /admin/directory/people/new", "/admin/directory/people/new", "name=", "422 422 403 403 403 in"},
	{"GET /admin/directory/people/{id}", "/admin/directory/people/1", "", "200 200 403 403 403 in"},
	{"POST /admin/directory/people/{id}", "/admin/directory/people/1", "name=", "422 422 403 403 403 in"},
	{"GET /admin/directory/support", "/admin/directory/support", "", "200 200 403 403 403 in"},
	{"GET /admin/directory/support/{id}", "/admin/directory/support/{b}", "", "200 200 403 403 403 in"},
	{"POST /admin/directory/support/{id}", "/admin/directory/support/{b}", "hours=999", "422 422 403 403 403 in"},
	{"GET /admin/directory/teams", "/admin/directory/teams", "", "200 200 403 403 403 in"},
	{"GET /admin/directory/teams/new", "/admin/directory/teams/new", "", "200 200 403 403 403 in"},
	{"POST /admin/directory/teams/new", "/admin/directory/teams/new", "name=", "422 422 403 403 403 in"},
	{"GET /admin/directory/teams/{id}", "/admin/directory/teams/1", "", "200 200 403 403 403 in"},
	{"POST /admin/directory/teams/{id}", "/admin/directory/teams/1", "name=", "422 422 403 403 403 in"},
	{"GET /admin/directory/import", "/admin/directory/import", "", "200 200 403 403 403 in"},
	{"POST /admin/directory/import", "/admin/directory/import", "kind=schools", "422 422 403 403 403 in"},
	{"POST /admin/directory/import/confirm", "/admin/directory/import/confirm", "key=lost", "422 422 403 403 403 in"},
	{"GET /wall", "/wall", "", "200 200 200 200 403 in"},
	{"GET /wall/board", "/wall/board?board=latest", "", "200 200 200 200 403 in"},
	{"GET /wall/board", "/wall/board?board=nonsense", "", "404 404 404 404 403 in"},
	{"GET /admin/imports", "/admin/imports", "", "200 200 403 403 403 in"},
	{"POST /admin/imports", "/admin/imports", "profile=", "422 422 403 403 403 in"},
	{"POST /admin/imports/profiles", "/admin/imports/profiles", "toml=", "422 422 403 403 403 in"},
	{"GET /admin/imports/profiles/{name}", "/admin/imports/profiles/servicenow", "", "200 200 403 403 403 in"},
	{"GET /admin/imports/profiles/{name}/remove", "/admin/imports/profiles/nothing/remove", "", "404 404 403 403 403 in"},
	{"POST /admin/imports/profiles/{name}/remove", "/admin/imports/profiles/servicenow/remove", "", "404 404 403 403 403 in"},
	{"GET /admin/imports/files/{file}", "/admin/imports/files/nothing", "", "404 404 403 403 403 in"},
	{"POST /admin/imports/files/{file}", "/admin/imports/files/nothing", "then=import", "404 404 403 403 403 in"},
	{"GET /admin/imports/files/{file}/trial", "/admin/imports/files/nothing/trial", "", "404 404 403 403 403 in"},
	{"POST /admin/imports/files/{file}/cancel", "/admin/imports/files/nothing/cancel", "", "404 404 403 403 403 in"},
	{"GET /admin/imports/files/{file}/remove", "/admin/imports/files/nothing/remove", "", "404 404 403 403 403 in"},
	{"POST /admin/imports/files/{file}/remove", "/admin/imports/files/nothing/remove", "", "404 404 403 403 403 in"},
	{"GET /admin/imports/runs/{id}", "/admin/imports/runs/99", "", "404 404 403 403 403 in"},
	{"GET /admin/imports/runs/{id}/progress", "/admin/imports/runs/99/progress", "", "303 303 403 403 403 in"},
	{"GET /admin/imports/runs/{id}/rejects.csv", "/admin/imports/runs/99/rejects.csv", "", "404 404 403 403 403 in"},
	{"POST /admin/imports/runs/{id}/cancel", "/admin/imports/runs/99/cancel", "", "303 303 403 403 403 in"},
	{"POST /admin/imports/runs/{id}/resume", "/admin/imports/runs/99/resume", "", "404 404 403 403 403 in"},
	{"POST /admin/imports/runs/{id}/again", "/admin/imports/runs/99/again", "", "404 404 403 403 403 in"},
	{"GET /admin/calendar", "/admin/calendar", "", "200 200 403 403 403 in"},
	{"POST /admin/calendar/hours", "/admin/calendar/hours", "day1=never", "422 422 403 403 403 in"},
	{"POST /admin/calendar/{kind}/add", "/admin/calendar/closures/add", "reason=", "422 422 403 403 403 in"},
	{"POST /admin/calendar/{kind}/remove", "/admin/calendar/closures/remove", "id=9999", "404 404 403 403 403 in"},
	{"GET /admin/calendar/import", "/admin/calendar/import", "", "200 200 403 403 403 in"},
	{"POST /admin/calendar/import", "/admin/calendar/import", "kind=public", "422 422 403 403 403 in"},
	{"POST /admin/calendar/import/confirm", "/admin/calendar/import/confirm", "key=", "422 422 403 403 403 in"},
	{"GET /admin/service", "/admin/service", "", "200 200 403 403 403 in"},
	{"GET /admin/service", "/admin/service?tab=whatif", "", "200 200 403 403 403 in"},
	{"POST /admin/service", "/admin/service", "from=", "422 422 403 403 403 in"},
	{"POST /admin/service/usual", "/admin/service/usual", "", "303 303 403 403 403 in"},
	{"POST /admin/service/remove", "/admin/service/remove", "from=2001-01-01", "404 404 403 403 403 in"},
	{"POST /admin/service/warn", "/admin/service/warn", "warn=0", "422 422 403 403 403 in"},
	{"POST /admin/service/check", "/admin/service/check", "", "200 200 403 403 403 in"},
	{"GET /admin/routing", "/admin/routing?try=1", "", "200 200 403 403 403 in"},
	{"GET /admin/routing/new", "/admin/routing/new", "", "200 200 403 403 403 in"},
	{"POST /admin/routing/new", "/admin/routing/new", "name=", "422 422 403 403 403 in"},
	{"GET /admin/routing/{id}", "/admin/routing/9999", "", "404 404 403 403 403 in"},
	{"POST /admin/routing/{id}", "/admin/routing/9999", "name=x", "404 404 403 403 403 in"},
	{"POST /admin/routing/{id}/switch", "/admin/routing/9999/switch", "on=1", "404 404 403 403 403 in"},
	{"POST /admin/routing/{id}/move", "/admin/routing/9999/move", "to=up", "404 404 403 403 403 in"},
	{"GET /admin/routing/{id}/remove", "/admin/routing/9999/remove", "", "404 404 403 403 403 in"},
	{"POST /admin/routing/{id}/remove", "/admin/routing/9999/remove", "", "404 404 403 403 403 in"},
	{"GET /admin/settings", "/admin/settings", "", "200 200 403 403 403 in"},
	{"POST /admin/settings", "/admin/settings", "name=", "422 422 403 403 403 in"},
	{"GET /mail", "/mail", "", "200 200 200 403 403 in"},
	{"POST /mail/bulk", "/mail/bulk", "do=refuse", "303 303 303 403 403 in"}, // nothing was chosen
	{"GET /mail/senders", "/mail/senders", "", "200 200 200 403 403 in"},
	{"POST /mail/senders", "/mail/senders", "sender=@nobody.example", "404 404 404 403 403 in"},
	{"GET /mail/{id}", "/mail/1", "", "200 200 200 403 403 in"},
	{"GET /mail/{id}", "/mail/9999", "", "404 404 404 403 403 in"},
	{"GET /mail/{id}/raw", "/mail/1/raw", "", "200 200 200 403 403 in"},
	{"POST /mail/{id}/incident", "/mail/1/incident", "title=", "422 422 422 403 403 in"},
	{"POST /mail/{id}/attach", "/mail/1/attach", "incident=999999", "422 422 422 403 403 in"},
	{"POST /mail/{id}/refuse", "/mail/1/refuse", "block=nonsense", "422 422 422 403 403 in"},
	{"POST /mail/{id}/back", "/mail/1/back", "", "409 409 409 403 403 in"},
	{"POST /mail/{id}/replay", "/mail/9999/replay", "", "404 404 404 403 403 in"},
	{"GET /styleguide", "/styleguide", "", "200 200 200 200 200 in"},
	{"GET /styleguide/confirm", "/styleguide/confirm", "", "200 200 200 200 200 in"},
	{"GET /styleguide/fault/{code}", "/styleguide/fault/not_found", "", "404 404 404 404 404 in"},
	{"POST /styleguide/fault", "/styleguide/fault", "", "503 503 503 503 503 in"},
	{"GET /{$}", "/", "", "303 303 303 303 303 in"},
	{"/", "/nothing/here", "", "404 404 404 404 404 in"},
	{"POST /logout", "/logout", "", "303 303 303 303 303 303"}, // last: it ends what the walk stands on
}

// Every page, for everybody, about one's own things and other people's.
func TestWalk(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	go func() { _ = w.hub.Run(t.Context()) }()
	tried := map[string]bool{}
	readers := map[string]*reader{}
	for _, login := range walkers {
		readers[login] = w.as(t, login).still()
	}
	fill := w.fill()
	for _, step := range walks {
		tried[step.pattern] = true
		method, _, spaced := strings.Cut(step.pattern, " ")
		if !spaced {
			method = http.MethodGet
		}
		wants := strings.Fields(step.want)
		if len(wants) != len(walkers) {
			t.Fatalf("%s: %d expectations for %d walkers", step.pattern, len(wants), len(walkers))
		}
		for i, login := range walkers {
			if got := readers[login].knock(method, fill.Replace(step.address), fill.Replace(step.form)); got != wants[i] {
				t.Errorf("%s %s %s as %q: %s, want %s", method, step.address, step.form, login, got, wants[i])
			}
		}
		if method != http.MethodPost {
			continue
		}
		// The same form from another site is refused before anything is looked at.
		for i, login := range walkers {
			req, err := http.NewRequest(method, w.URL+fill.Replace(step.address), strings.NewReader(fill.Replace(step.form)))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Origin", "https://elsewhere.example")
			if i%2 == 0 {
				req.Header.Set("Sec-Fetch-Site", "cross-site")
			}
			if a := readers[login].do(req, nil); a.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s from another site as %q: %d", method, step.address, login, a.StatusCode)
			}
		}
	}
	for _, pattern := range w.patterns {
		if !tried[pattern] {
			t.Errorf("%q has no line in walks (walk_test.go): decide who may open it", pattern)
		}
	}
	for pattern := range tried {
		if !slices.Contains(w.patterns, pattern) {
			t.Errorf("%q is walked but is no page", pattern)
		}
	}
}

// knock asks and says what came: the status, or "in" for the way to sign in.
// It does not read on: a stream has no end.
func (b *reader) knock(method, address, form string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, b.base+address, strings.NewReader(form))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	if to, err := url.Parse(resp.Header.Get("Location")); err == nil && to.Path == "/login" && !strings.HasSuffix(address, "/logout") {
		return "in"
	}
	return strconv.Itoa(resp.StatusCode)
}

// fill puts the town's numbers in an address or a form.
func (w *town) fill() *strings.Replacer {
	return strings.NewReplacer("{label}", w.label,
		"{own}", id(w.own), "{beside}", id(w.beside), "{foreign}", id(w.foreign), "{a}", id(w.a), "{b}", id(w.b), "{none}", "99999",
		"{visitA}", id(w.visitA), "{visitB}", id(w.visitB),
		"{file}", id(w.file), "{foreignfile}", id(w.foreignFile), "{hiddenfile}", id(w.hiddenFile),
		"{item}", id(w.screen.ID), "{place}", id(w.depot.ID), "{movement}", id(w.received),
		"{advice}", id(w.advice), "{secretadvice}", id(w.secretAdvice), "{file}", id(w.file), "{foreignfile}", id(w.foreignFile), "{hiddenfile}", id(w.hiddenFile),
	)
}
