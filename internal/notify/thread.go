package notify

import (
	"context"
	"crypto/hmac"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What is signed, so that one is never taken for the other.
const (
	purposeMessage = "mail.message"
	purposeReply   = "mail.reply"
)

// macSize is the length of a short signature, in bytes: 40 bits. It stands in
// headers that people see; whoever accepts it also looks at the sender.
const macSize = 5

var short32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// mac is the short signature of a text for a purpose, in lower case.
func (s *Service) mac(ctx context.Context, purpose, text string) (string, error) {
	link, err := s.signer.Sign(ctx, purpose, text, time.Time{})
	if err != nil {
		return "", err
	}
	raw, err := base64.RawURLEncoding.DecodeString(link)
	if err != nil || len(raw) < macSize {
		return "", fmt.Errorf("notify: signature of %s: %w", purpose, err)
	}
	return strings.ToLower(short32.EncodeToString(raw[len(raw)-macSize:])), nil
}

func (s *Service) signed(ctx context.Context, purpose, text, mac string) bool {
	want, err := s.mac(ctx, purpose, text)
	return err == nil && hmac.Equal([]byte(want), []byte(strings.ToLower(mac)))
}

// MessageID is the identifier, in angle brackets, of the n-th message about an
// incident; n 0 is the thread itself, which every message refers to. It is the
// same each time it is asked. Not to be called inside a transaction.
func (s *Service) MessageID(ctx context.Context, incident, n int64) (string, error) {
	settings, err := s.box.Settings(ctx)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%d.%d", incident, n)
	mac, err := s.mac(ctx, purposeMessage, text)
	if err != nil {
		return "", err
	}
	return "<incident." + text + "." + mac + "@" + settings.Domain() + ">", nil
}

var messageID = regexp.MustCompile(`^<?incident\.([0-9]{1,18})\.([0-9]{1,18})\.([a-z2-7]{8})@[^@<>\s]+>?$`)

// OfMessageID tells which incident one of our own message identifiers (from
// In-Reply-To or References, with or without brackets) is about; false for
// what we never sent. Not to be called inside a transaction.
func (s *Service) OfMessageID(ctx context.Context, id string) (incident int64, ok bool) {
	m := messageID.FindStringSubmatch(strings.ToLower(strings.TrimSpace(id)))
	if m == nil || !s.signed(ctx, purposeMessage, m[1]+"."+m[2], m[3]) {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	return n, err == nil && n > 0
}

// ReplyToken is what the subject of a message to a person about an incident
// ends with: "[#4812-77-k7qx2m3p]". It says whose answer comes back when
// identifiers are lost on the way. Person 0 is somebody who is not in the
// directory. Not to be called inside a transaction.
func (s *Service) ReplyToken(ctx context.Context, incident, person int64) (string, error) {
	text := fmt.Sprintf("%d-%d", incident, person)
	mac, err := s.mac(ctx, purposeReply, text)
	if err != nil {
		return "", err
	}
	return "[#" + text + "-" + mac + "]", nil
}

var replyToken = regexp.MustCompile(`(?i)\[#([0-9]{1,18})-([0-9]{1,18})-([a-z2-7]{8})\]`)

// OfReplyToken finds the token in a subject and tells the incident and the
// person that it was made for; false without a token of ours. The sender is
// still to be judged: whoever received the message may have passed it on. Not
// to be called inside a transaction.
func (s *Service) OfReplyToken(ctx context.Context, subject string) (incident, person int64, ok bool) {
	for _, m := range replyToken.FindAllStringSubmatch(subject, 5) {
		if !s.signed(ctx, purposeReply, m[1]+"-"+m[2], m[3]) {
			continue
		}
		incident, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			continue
		}
		person, err := strconv.ParseInt(m[2], 10, 64)
		if err == nil && incident > 0 {
			return incident, person, true
		}
	}
	return 0, 0, false
}
