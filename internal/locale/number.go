package locale

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

const (
	nbsp   = "\u00a0" // no-break space, between a number and its unit
	nnbsp  = "\u202f" // narrow no-break space, in numbers and before high punctuation
	minus  = "\u2212"
	noData = "—"
)

// Numbers are written by hand: x/text follows a CLDR in which French groups
// digits with a wide space, and costs some microseconds a figure in pages that
// hold hundreds.

// Int writes a whole number of any integer type: "1 234" in French, "1,234" in
// English. Another type is written as fmt does.
func (p *Printer) Int(n any) string {
	r := reflect.ValueOf(n)
	switch {
	case r.CanInt():
		return p.number(strconv.FormatInt(r.Int(), 10))
	case r.CanUint():
		return p.number(strconv.FormatUint(r.Uint(), 10))
	case r.CanFloat():
		return p.Num(r.Float(), 0)
	}
	return fmt.Sprint(n)
}

// Num writes a number with that many decimals: "1 234,5". NaN and infinities
// are "—", the sign of a value that rounds to zero is dropped.
func (p *Printer) Num(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return noData
	}
	s := strconv.FormatFloat(v, 'f', max(decimals, 0), 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return p.number(s)
}

// Pct writes a share of 1 in per cent: 0.183 is "18 %".
func (p *Printer) Pct(share float64, decimals int) string {
	n := p.Num(share*100, decimals)
	switch {
	case n == noData:
		return n
	case p.lang == English:
		return n + "%"
	}
	return n + nnbsp + "%"
}

// Signed is Num with its sign always: "+12", "−3", "0".
func (p *Printer) Signed(v float64, decimals int) string {
	n := p.Num(v, decimals)
	if v > 0 && n != noData && strings.Trim(n, "0,.") != "" {
		return "+" + n
	}
	return n
}

// SignedPct is Pct with its sign always: "+12 %".
func (p *Printer) SignedPct(share float64, decimals int) string {
	n := p.Pct(share, decimals)
	if share > 0 && n != noData && strings.Trim(n, "0,.%"+nnbsp) != "" {
		return "+" + n
	}
	return n
}

// number groups the digits of a plain decimal and sets its marks.
func (p *Printer) number(s string) string {
	group, point := nnbsp, ","
	if p.lang == English {
		group, point = ",", "."
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	if s[0] == '-' {
		b.WriteString(minus)
		s = s[1:]
	}
	whole, part, _ := strings.Cut(s, ".")
	for i, d := range []byte(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(group)
		}
		b.WriteByte(d)
	}
	if part != "" {
		b.WriteString(point)
		b.WriteString(part)
	}
	return b.String()
}

// Hours writes a length in hours to the minute, with days of 24 hours:
// "40 min", "5 h 40", "3 j 4 h". From a hundred days on, days only.
func (p *Printer) Hours(h float64) string {
	if math.IsNaN(h) || math.IsInf(h, 0) {
		return noData
	}
	if h < 0 {
		return minus + p.Hours(-h)
	}
	switch {
	case h > 0 && h*60 < 0.5:
		return "<" + nbsp + "1" + nbsp + "min"
	case h*60 < 59.5:
		return p.unit(math.Round(h*60), "min")
	case h < 24-0.5/60:
		minutes := int(math.Round(h * 60))
		return p.hourMinute(minutes/60, minutes%60)
	case h < 100*24:
		hours := int(math.Round(h))
		if hours%24 == 0 {
			return p.unit(float64(hours/24), p.dayUnit())
		}
		return p.unit(float64(hours/24), p.dayUnit()) + nbsp + p.unit(float64(hours%24), "h")
	}
	return p.unit(math.Round(h/24), p.dayUnit())
}

// OpenMinutes writes a length of open time to the minute, in hours whatever
// their number: a day of school is not one of 24 hours. "40 min", "38 h 30".
func (p *Printer) OpenMinutes(n int) string {
	switch {
	case n < 0:
		return minus + p.OpenMinutes(-n)
	case n < 60:
		return p.unit(float64(n), "min")
	case n < 24_000*60:
		return p.hourMinute(n/60, n%60)
	}
	return p.unit(float64(n/60), "h")
}

func (p *Printer) hourMinute(h, m int) string {
	hours := strconv.Itoa(h) + nbsp + "h"
	switch {
	case m == 0:
		return hours
	case p.lang == English:
		return hours + nbsp + strconv.Itoa(m) + nbsp + "min"
	}
	return hours + nbsp + fmt.Sprintf("%02d", m)
}

func (p *Printer) dayUnit() string {
	if p.lang == English {
		return "d"
	}
	return "j"
}

func (p *Printer) unit(n float64, unit string) string { return p.Num(n, 0) + nbsp + unit }

// Duration writes a length of time, below a minute to the second or the
// millisecond, else as Hours does.
func (p *Printer) Duration(d time.Duration) string {
	switch {
	case d < 0:
		return minus + p.Duration(-d)
	case d == 0:
		return p.unit(0, "s")
	case d < time.Second:
		return p.unit(math.Ceil(float64(d)/1e6), "ms")
	case d < 10*time.Second:
		s := strings.TrimSuffix(p.Num(d.Seconds(), 1), p.number("0.0")[1:])
		return s + nbsp + "s"
	case d < time.Minute:
		return p.unit(math.Floor(d.Seconds()), "s")
	}
	return p.Hours(d.Hours())
}

// Bytes writes a size in decimal units: "1,2 Mo" in French, "1.2 MB" in
// English.
func (p *Printer) Bytes(n int64) string {
	letter := "o"
	if p.lang == English {
		letter = "B"
	}
	if n < 0 {
		return minus + p.Bytes(-n)
	}
	v, prefix := float64(n), ""
	for _, next := range []string{"k", "M", "G", "T", "P"} {
		if v < 999.5 {
			break
		}
		v, prefix = v/1000, next
	}
	decimals := 0
	if prefix != "" && v < 9.95 {
		decimals = 1
	}
	return p.Num(v, decimals) + nbsp + prefix + letter
}
