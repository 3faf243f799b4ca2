package table_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"statincidents/internal/intake/table"
)

type outcome struct {
	Row     table.Row
	Problem table.Problem
	Column  int
}

func readAll(tb testing.TB, data []byte, o table.Options) (*table.Reader, []outcome) {
	tb.Helper()
	r, err := table.New(bytes.NewReader(data), o)
	if err != nil {
		tb.Fatal(err)
	}
	var all []outcome
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return r, all
		}
		if reject, ok := errors.AsType[*table.RowError](err); ok {
			all = append(all, outcome{reject.Row, reject.Problem, reject.Column})
			continue
		}
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, outcome{Row: row})
	}
}

func good(line, last int, fields ...string) outcome {
	return outcome{Row: table.Row{Line: line, LastLine: last, Fields: fields}}
}

func bad(p table.Problem, column, line, last int, fields ...string) outcome {
	return outcome{Row: table.Row{Line: line, LastLine: last, Fields: fields}, Problem: p, Column: column}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		in   string
		o    table.Options
		want []outcome
	}{
		{"plain", "a,b\n1,2\n3,4\n", table.Options{}, []outcome{good(2, 2, "1", "2"), good(3, 3, "3", "4")}},
		{"no final line end", "a,b\n1,2", table.Options{}, []outcome{good(2, 2, "1", "2")}},
		{"windows line ends", "a,b\r\n1,2\r\n", table.Options{}, []outcome{good(2, 2, "1", "2")}},
		{"old Macintosh line ends", "a,b\r1,2\r3,4\r", table.Options{}, []outcome{good(2, 2, "1", "2"), good(3, 3, "3", "4")}},
		{"semicolons with commas in the text", "a;b\n1,5;2,5\n3,5;4,5\n", table.Options{}, []outcome{good(2, 2, "1,5", "2,5"), good(3, 3, "3,5", "4,5")}},
		{"tabs", "a\tb\n1\t2\n", table.Options{}, []outcome{good(2, 2, "1", "2")}},
		{"bars", "a|b\n1|2\n", table.Options{}, []outcome{good(2, 2, "1", "2")}},
		{"separator said by Excel", "sep=|\r\na|b\r\n1|2\r\n", table.Options{}, []outcome{good(3, 3, "1", "2")}},
		{"separator given", "a,b;c\n1,2;3\n", table.Options{Separator: ';'}, []outcome{good(2, 2, "1,2", "3")}},
		{"empty lines are skipped and counted", "a,b\n\n1,2\n\n\n3,4\n", table.Options{}, []outcome{good(3, 3, "1", "2"), good(6, 6, "3", "4")}},
		{"empty fields", "a,b\n,\n\"\",\n", table.Options{}, []outcome{good(2, 2, "", ""), good(3, 3, "", "")}},
		{"mixed line ends in a quoted field", "a,b\n1,\"x\r\ny\nz\rw\"\n2,3\n", table.Options{}, []outcome{good(2, 4, "1", "x\r\ny\nz\rw"), good(5, 5, "2", "3")}},
		{"doubled quotes", "a,b\n\"say \"\"yes\"\"\",2\n", table.Options{}, []outcome{good(2, 2, `say "yes"`, "2")}},
		{"quotes inside a bare field", "a,b\n12\" screen,2\n", table.Options{}, []outcome{good(2, 2, `12" screen`, "2")}},
		{"quotes that nobody doubled", "a,b\n\"say \"yes\" twice\",2\n", table.Options{}, []outcome{good(2, 2, `say "yes" twice`, "2")}},
		{"the same over two lines", "a,b\n1,\"say \"yes\" first\nthen no\"\n3,4\n", table.Options{}, []outcome{good(2, 3, "1", "say \"yes\" first\nthen no"), good(4, 4, "3", "4")}},
		{"a lone opening quote", "a,b\n\"x,2\n3,4\n", table.Options{}, []outcome{good(2, 2, `"x`, "2"), good(3, 3, "3", "4")}},
		{"a lone opening quote before quoted rows", "a,b,c\n1,\"x,2\n3,\"y\",\"z\"\n", table.Options{}, []outcome{good(2, 2, "1", `"x`, "2"), good(3, 3, "3", "y", "z")}},
		{"a lone opening quote that hides a separator", "a,b\n\"x;2\n3,4\n", table.Options{Separator: ','}, []outcome{bad(table.OpenQuote, 1, 2, 2, `"x;2`), good(3, 3, "3", "4")}},
		{"a lone opening quote and a quoted field in a row", "a,b,c\n\"x,2,\"y\"\n3,4,5\n", table.Options{}, []outcome{good(2, 2, `"x`, "2", "y"), good(3, 3, "3", "4", "5")}},
		{"spaces after a closing quote", "a;b\n\"x\" ;2\n", table.Options{}, []outcome{good(2, 2, "x", "2")}},
		{"too few fields", "a,b\n1\n3,4\n", table.Options{}, []outcome{bad(table.FieldCount, 0, 2, 2, "1"), good(3, 3, "3", "4")}},
		{"too many fields", "a,b\n1,2,3\n", table.Options{}, []outcome{bad(table.FieldCount, 0, 2, 2, "1", "2", "3")}},
		{"a separator at the end of each line", "a,b\n1,2,\n", table.Options{}, []outcome{good(2, 2, "1", "2")}},
		{"a field past the limit", "a,b\n1,12345678901\n3,4\n", table.Options{MaxField: 10}, []outcome{bad(table.TooLong, 2, 2, 2, "1", "12345678901"), good(3, 3, "3", "4")}},
		{"the limit is in characters", "a,b\n1,éééééééééé\n", table.Options{MaxField: 10}, []outcome{good(2, 2, "1", "éééééééééé")}},
		{"the character 0", "a,b\n1,x\x00y\n", table.Options{}, []outcome{good(2, 2, "1", "xy")}},
		{"a byte that is not UTF-8 in UTF-8", "é,b\n" + strings.Repeat("1,2\n", 40_000) + "\xe9t\xe9,é\n", table.Options{}, append(repeat(40_000), good(40_002, 40_002, "été", "é"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, got := readAll(t, []byte(c.in), c.o)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func repeat(n int) []outcome {
	all := make([]outcome, n)
	for i := range all {
		all[i] = good(i+2, i+2, "1", "2")
	}
	return all
}

func TestLongFields(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 100_000)
	_, got := readAll(t, []byte("a,b\n1,"+long+"\n2,\""+long+"\"\n3,4\n"), table.Options{})
	if d := cmp.Diff([]outcome{good(2, 2, "1", long), good(3, 3, "2", long), good(4, 4, "3", "4")}, got); d != "" {
		t.Error(d[:min(len(d), 500)])
	}
}

func TestEndlessLine(t *testing.T) {
	t.Parallel()
	_, got := readAll(t, []byte("a,b\n1,"+strings.Repeat("x", 20<<20)+"\n3,4\n"), table.Options{MaxField: 1000})
	if len(got) != 2 || got[0].Problem != table.TooLong || got[0].Row.Line != 2 || len(got[0].Row.Fields[1]) > 64<<10 {
		t.Fatalf("the endless line: %d outcomes, first %q", len(got), got[0].Problem)
	}
	if d := cmp.Diff(good(3, 3, "3", "4"), got[1]); d != "" {
		t.Error(d)
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	const text = "numéro;œuvre\n1;« déjà » – 5 €\n"
	want := []outcome{good(2, 2, "1", "« déjà » – 5 €")}
	for _, c := range []struct {
		name   string
		in     []byte
		format table.Format
	}{
		{"UTF-8", []byte(text), table.Format{Encoding: table.UTF8}},
		{"UTF-8 with a mark", append([]byte("\xEF\xBB\xBF"), text...), table.Format{Encoding: table.UTF8, BOM: true}},
		{"Windows-1252", encoded(t, charmap.Windows1252, text), table.Format{Encoding: table.Windows1252}},
		{"UTF-16 little-endian with a mark", encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), text), table.Format{Encoding: table.UTF16LE, BOM: true}},
		{"UTF-16 big-endian with a mark", encoded(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), text), table.Format{Encoding: table.UTF16BE, BOM: true}},
		{"UTF-16 little-endian without", encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), text), table.Format{Encoding: table.UTF16LE}},
		{"UTF-16 big-endian without", encoded(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), text), table.Format{Encoding: table.UTF16BE}},
		{"gzip", zipped(t, []byte(text)), table.Format{Encoding: table.UTF8, Compressed: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, got := readAll(t, c.in, table.Options{})
			c.format.Separator = ';'
			if d := cmp.Diff(c.format, r.Format()); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff([]string{"numéro", "œuvre"}, r.Header()); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func encoded(tb testing.TB, e encoding.Encoding, text string) []byte {
	tb.Helper()
	b, err := e.NewEncoder().Bytes([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func zipped(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestTruncatedCompression(t *testing.T) {
	t.Parallel()
	var plain bytes.Buffer
	plain.WriteString("number,text\n")
	for i := range 20_000 {
		plain.WriteString(strings.Repeat(string(rune('a'+i*i%26)), 1+i%7))
		plain.WriteString(",\"line one\nline ")
		plain.WriteString(strings.Repeat(string(rune('a'+i*7%26)), 1+i*i%11))
		plain.WriteString("\"\n")
	}
	whole := zipped(t, plain.Bytes())
	_, all := readAll(t, whole, table.Options{})
	for _, keep := range []int{len(whole) - 1, len(whole) - 9, len(whole) / 2, len(whole) / 3} {
		_, got := readAll(t, whole[:keep], table.Options{})
		last := got[len(got)-1]
		if last.Problem != table.Truncated {
			t.Fatalf("%d bytes of %d: the last outcome is %+v", keep, len(whole), last)
		}
		before := got[:len(got)-1]
		if len(before) == 0 || len(before) > len(all) {
			t.Fatalf("%d bytes of %d: %d rows of %d", keep, len(whole), len(before), len(all))
		}
		if d := cmp.Diff(all[:len(before)], before); d != "" {
			t.Errorf("%d bytes: %s", keep, d)
		}
		if want := before[len(before)-1].Row.LastLine + 1; last.Row.Line != want {
			t.Errorf("%d bytes: the damage is said to be at line %d, not %d", keep, last.Row.Line, want)
		}
	}
}

func TestTruncatedInsideQuotes(t *testing.T) {
	t.Parallel()
	// Stored blocks, so that every byte before the cut comes out.
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("a,b,c\n1,2,3\n4,\"five\nsix\nsev"))
	w.Flush()
	_, got := readAll(t, b.Bytes(), table.Options{})
	want := []outcome{good(2, 2, "1", "2", "3"), bad(table.Truncated, 0, 3, 5, "4", "five\nsix\nsev")}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	r, _ := readAll(t, []byte(" Numéro ;;État;État;\n"), table.Options{Separator: ';'})
	if d := cmp.Diff([]string{"Numéro", "(2)", "État", "État (4)", "(5)"}, r.Header()); d != "" {
		t.Error(d)
	}
	for _, empty := range []string{"", "\n\n", "\xEF\xBB\xBF"} {
		if _, err := table.New(strings.NewReader(empty), table.Options{}); !errors.Is(err, table.ErrEmpty) {
			t.Errorf("%q: %v", empty, err)
		}
	}
	if _, err := table.New(strings.NewReader("a"), table.Options{Encoding: "klingon"}); err == nil {
		t.Error("an unknown encoding is accepted")
	}
}

// failing gives a part of a file, then fails as a disk does.
type failing struct{ r io.Reader }

var errDisk = errors.New("disk on fire")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if errors.Is(err, io.EOF) {
		err = errDisk
	}
	return n, err
}

func TestFailureOfTheReader(t *testing.T) {
	t.Parallel()
	big := "a,b\n" + strings.Repeat("1,2\n", 100_000)
	r, err := table.New(failing{strings.NewReader(big)}, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err = r.Read(); err != nil {
			break
		}
	}
	if !errors.Is(err, errDisk) {
		t.Errorf("the failure is lost: %v", err)
	}
}

// TestRoundTrip: what a correct program wrote is read back, with true lines.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sep := rapid.SampledFrom(table.Separators).Draw(t, "separator")
		eol := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "line end")
		width := rapid.IntRange(2, 6).Draw(t, "width")
		value := rapid.OneOf(
			rapid.StringOfN(rapid.SampledFrom([]rune("ab é,;|\t\"\n\r'€")), 0, 12, -1),
			rapid.StringN(0, 5, -1),
			rapid.Just(""),
		)
		rows := rapid.SliceOfN(rapid.SliceOfN(value, width, width), 0, 8).Draw(t, "rows")
		var b strings.Builder
		line := 1
		var want []outcome
		head := make([]string, width)
		for i := range head {
			head[i] = string(rune('A' + i))
		}
		writeRow(&b, head, sep, eol)
		for _, fields := range rows {
			line++
			first := line
			for i, f := range fields {
				fields[i] = strings.ReplaceAll(strings.ToValidUTF8(f, ""), "\x00", "")
				line += strings.Count(fields[i], "\n")
			}
			writeRow(&b, fields, sep, eol)
			want = append(want, good(first, line, fields...))
		}
		r, err := table.New(strings.NewReader(b.String()), table.Options{Separator: sep, Encoding: table.UTF8})
		if err != nil {
			t.Fatal(err)
		}
		var got []outcome
		for {
			row, err := r.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v in %q", err, b.String())
			}
			got = append(got, outcome{Row: row})
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%s\nin %q", d, b.String())
		}
	})
}

func writeRow(b *strings.Builder, fields []string, sep rune, eol string) {
	for i, f := range fields {
		if i > 0 {
			b.WriteRune(sep)
		}
		b.WriteByte('"')
		b.WriteString(strings.ReplaceAll(f, `"`, `""`))
		b.WriteByte('"')
	}
	b.WriteString(eol)
}

// FuzzRead: whatever the bytes, reading ends, lines only go forward and stay
// within the file, and good rows have the header's width.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a;b\r\n\"x\ny\";2\r\n", "a\tb\n\"lone,2\n3\t4\n", "\xff\xfea\x00,\x00b\x00\n\x00", "sep=;\na;b\n1;2\n",
		"a,b\n\"x \"y\" z\",2\n1,\"say \"yes\"\ntwice\"\n", "\x1f\x8b\x08\x00", "a,b\r1,2\r", "\xEF\xBB\xBFa|b\n1|2\n", "a\n\xe9\n\n\"", "a,b\n\"\"\"\",\"\"x\n",
	} {
		f.Add([]byte(s), 20)
	}
	f.Add(zipped(f, []byte("a,b\n1,\"2\n3\"\n"))[:25], 0)
	f.Fuzz(func(t *testing.T, data []byte, limit int) {
		r, err := table.New(bytes.NewReader(data), table.Options{MaxField: max(0, limit)})
		if err != nil {
			return
		}
		line := r.HeaderLine()
		for n := 0; ; n++ {
			row, err := r.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if reject, ok := errors.AsType[*table.RowError](err); ok {
				row = reject.Row
			} else if err != nil {
				t.Fatal(err)
			} else if len(row.Fields) != len(r.Header()) {
				t.Fatalf("%d fields under a header of %d", len(row.Fields), len(r.Header()))
			}
			if row.Line <= line && n > 0 || row.LastLine < row.Line {
				t.Fatalf("lines %d to %d after line %d", row.Line, row.LastLine, line)
			}
			line = row.LastLine
			for _, v := range row.Fields {
				if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
					t.Fatalf("field %q is not text", v)
				}
			}
			if n > len(data)*1100+10 {
				t.Fatal("reading does not end")
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var plain bytes.Buffer
	plain.WriteString("number,state,at,text,place,comment\n")
	for range 100_000 {
		plain.WriteString("INC0001234,Active,29/2/2016 01:16,\"text, with a comma\",Location 204,\n")
	}
	b.SetBytes(int64(plain.Len()))
	b.ReportAllocs()
	for b.Loop() {
		r, err := table.New(bytes.NewReader(plain.Bytes()), table.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := r.Read(); err != nil {
				break
			}
		}
	}
}
