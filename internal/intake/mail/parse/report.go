package parse

import (
	"regexp"
	"slices"
	"strings"
)

// Bounce is what a server reports of a message that it could not deliver.
type Bounce struct {
	Permanent  bool     // false: it goes on trying, or may be tried again
	Delivered  bool     // a confirmation, no failure
	Recipients []string // who it could not reach, lower case
	Original   string   // Message-ID of the message, "" if the report does not say
	Status     string   // "5.1.1"
	Reason     string   // the server's words
}

var (
	bounceField    = regexp.MustCompile(`(?im)^(final-recipient|original-recipient|action|status|diagnostic-code):[ \t]*(.{0,1000})$`)
	originalID     = regexp.MustCompile(`(?im)^message-id:[ \t]*<([^<>\s]{1,500})>`)
	enhancedStatus = regexp.MustCompile(`\b([245]\.\d{1,3}\.\d{1,3})\b`)
)

// report reads a multipart/report.
func (r *reader) report(h header, pieces [][]byte) {
	_, params := kind(h)
	if strings.EqualFold(params["report-type"], "disposition-notification") {
		r.m.Automatic = AutoReceipt
		return
	}
	for i, p := range pieces {
		if i > 10 {
			break
		}
		head, rest := cut(p)
		ph := r.header(head)
		t, _ := kind(ph)
		switch t {
		case "message/delivery-status", "message/global-delivery-status":
			r.m.Bounce = bounce(shorten(plain(r.decode(ph, rest)), 60_000))
		case "message/rfc822", "text/rfc822-headers", "message/global-headers":
			if r.m.Bounce != nil && r.m.Bounce.Original == "" {
				if len(rest) > MaxHeader {
					rest = rest[:MaxHeader]
				}
				if m := originalID.FindStringSubmatch(strings.ReplaceAll(plain(r.decode(ph, rest)), "\r\n", "\n")); m != nil {
					r.m.Bounce.Original = m[1]
				}
			}
		}
	}
}

func bounce(text string) *Bounce {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\n ", " "), "\n\t", " ")
	b := &Bounce{}
	action := ""
	for _, m := range bounceField.FindAllStringSubmatch(text, 200) {
		value := line(m[2])
		switch strings.ToLower(m[1]) {
		case "final-recipient", "original-recipient":
			_, address, ok := strings.Cut(value, ";")
			if !ok {
				address = value
			}
			address = strings.ToLower(strings.Trim(strings.TrimSpace(address), "<>"))
			if strings.Contains(address, "@") && !slices.Contains(b.Recipients, address) && len(b.Recipients) < MaxPeople {
				b.Recipients = append(b.Recipients, shorten(address, 320))
			}
		case "action":
			action = strings.ToLower(value)
		case "status":
			if s := enhancedStatus.FindString(value); s != "" {
				b.Status = s
			}
		case "diagnostic-code":
			b.Reason = shorten(value, 500)
		}
	}
	b.Delivered = strings.HasPrefix(action, "delivered") || strings.HasPrefix(action, "relayed") || strings.HasPrefix(action, "expanded")
	b.Permanent = strings.HasPrefix(action, "failed") && !strings.HasPrefix(b.Status, "4") || action == "" && strings.HasPrefix(b.Status, "5")
	return b
}

// Automatic is why a message is not from a person.
type Automatic string

// The reasons; "mailin.auto.NAME" is the sentence of each.
const (
	AutoSubmitted Automatic = "submitted" // Auto-Submitted
	AutoBulk      Automatic = "bulk"      // Precedence: bulk, junk
	AutoList      Automatic = "list"      // a mailing list
	AutoNobody    Automatic = "nobody"    // no return path: reports, machines
	AutoAway      Automatic = "away"      // out of office
	AutoReceipt   Automatic = "receipt"   // "your message was read"
	AutoSuppress  Automatic = "suppress"  // asks that nobody answers by machine
	AutoBounce    Automatic = "bounce"    // a report of non-delivery in free form
)

var (
	away = regexp.MustCompile(`(?i)^\s*(absence( du bureau)?\s*[:(\-]|absent(e)?( du bureau)?\s*[:(\-]|absent(e)? (du|jusqu)|réponse automatique|reponse automatique|réponse auto|message d['’]absence|automatic reply|auto(matic)?[- ]?reply|out of( the)? office|je suis absent|en congés?\b)`)
	lost = regexp.MustCompile(`(?i)^\s*(undeliver(able|ed)|non remis|non distribuable|échec de la remise|delivery status notification|mail delivery (failed|system|subsystem)|returned mail|failure notice|message non distribué|delivery failure)`)
)

func automatic(h header, m *Message) Automatic {
	get := func(name string) string { return strings.ToLower(strings.TrimSpace(h.Get(name))) }
	if m.Automatic != "" {
		return m.Automatic
	}
	if m.Bounce != nil {
		return AutoBounce
	}
	_, rejected, _ := strings.Cut(m.From.Email, "@")
	local := strings.TrimSuffix(m.From.Email, "@"+rejected)
	switch v := get("Auto-Submitted"); {
	case v != "" && !strings.HasPrefix(v, "no"):
		if away.MatchString(m.Title) || away.MatchString(m.Subject) {
			return AutoAway
		}
		return AutoSubmitted
	case away.MatchString(m.Title) || away.MatchString(m.Subject) || get("X-Autoreply") != "" || get("X-Autorespond") != "":
		return AutoAway
	case (local == "mailer-daemon" || local == "postmaster") && lost.MatchString(m.Title):
		return AutoBounce
	}
	switch v := get("Precedence"); v {
	case "bulk", "junk", "auto_reply":
		return AutoBulk
	case "list":
		return AutoList
	}
	if get("List-Id") != "" || get("List-Unsubscribe") != "" && get("List-Post") != "" {
		return AutoList
	}
	if v := get("X-Auto-Response-Suppress"); strings.Contains(v, "all") || strings.Contains(v, "autoreply") {
		return AutoSuppress
	}
	if h.Has("Return-Path") && strings.Trim(get("Return-Path"), "<> ") == "" {
		return AutoNobody
	}
	return ""
}
