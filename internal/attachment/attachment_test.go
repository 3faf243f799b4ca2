package attachment

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/locale"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var system = auth.System(1)

type house struct {
	*Service

	db         *sqldb.DB
	j          *journal.Journal
	incidents  *incident.Service
	school     int64
	teacher    auth.Identity // declares in the school
	colleague  auth.Identity
	technician auth.Identity
	own        int64 // the teacher's incident
}

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func build(tb testing.TB, db *sqldb.DB) *house {
	tb.Helper()
	ctx := context.Background()
	j := journal.New(db)
	places, words := directory.New(db, j), catalog.New(db, j)
	h := &house{db: db, j: j, incidents: incident.NewService(db, j, places, words, time.UTC)}
	h.Service = New(db, j, h.incidents, nil)
	h.school = must[map[string]int64](tb)(places.EnsureSchools(ctx, system, []directory.School{{UAI: "0450001A", Name: "Collège A"}}))["0450001A"]
	who := func(account int64, role auth.Role, name string) auth.Identity {
		p := must[directory.Person](tb)(places.SavePerson(ctx, system, directory.Person{Name: name, Kind: directory.Teacher, School: h.school}))
		return auth.Identity{Tenant: 1, Account: account, Role: role, Person: p.ID, Schools: []int64{h.school}}
	}
	h.teacher, h.colleague, h.technician = who(1, auth.Declarant, "Mme Martin"), who(2, auth.Declarant, "M. Autre"), who(3, auth.Technician, "Tech")
	h.own = must[incident.Incident](tb)(h.incidents.Declare(ctx, h.teacher, incident.Declaration{Title: "Vidéoprojecteur noir", School: h.school})).ID
	return h
}

func (h *house) put(tb testing.TB, by auth.Identity, name string, data []byte) Attachment {
	tb.Helper()
	return must[Attachment](tb)(h.Put(context.Background(), by, name, bytes.NewReader(data)))
}

func (h *house) read(tb testing.TB, by auth.Identity, id int64) []byte {
	tb.Helper()
	_, c, err := h.Open(context.Background(), by, id, false)
	if err != nil {
		tb.Fatal(err)
	}
	return must[[]byte](tb)(io.ReadAll(c))
}

// chunks counts the rows that hold contents.
func (h *house) chunks(tb testing.TB) (contents, chunks int) {
	tb.Helper()
	err := h.db.Read(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM attachment_content").Scan(&contents); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT count(*) FROM attachment_chunk").Scan(&chunks)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return contents, chunks
}

func wantKey(tb testing.TB, err error, key string) {
	tb.Helper()
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok {
		tb.Fatalf("got %v, want the refusal %s", err, key)
	}
	got := refusal.Key
	if len(refusal.Fields) == 1 {
		got = refusal.Fields[0].Key
	}
	if got != key {
		tb.Fatalf("refused by %s, want %s", got, key)
	}
	for _, lang := range locale.Langs {
		if said, fields := locale.For(lang, time.UTC).Error(err); strings.Contains(said, "error.") || strings.Contains(fields[Field], "error.") {
			tb.Errorf("%s is not said in %s: %q %q", key, lang, said, fields)
		}
	}
}

func noise(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(r.IntN(256))
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

// halves is red on the left and blue on the right.
func halves(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{R: 220, A: 255}
			if x >= w/2 {
				c = color.NRGBA{B: 220, A: 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func jpegOf(tb testing.TB, img image.Image, exif []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		tb.Fatal(err)
	}
	if exif == nil {
		return b.Bytes()
	}
	segment := append([]byte("Exif\x00\x00"), exif...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(segment)+2))...)
	return append(append(out, segment...), b.Bytes()[2:]...)
}

// exif holds an orientation and the words of a place.
func exif(turn uint16) []byte {
	b := []byte("II*\x00\x08\x00\x00\x00\x01\x00")
	b = binary.LittleEndian.AppendUint16(b, 0x0112)
	b = binary.LittleEndian.AppendUint16(b, 3)
	b = binary.LittleEndian.AppendUint32(b, 1)
	b = binary.LittleEndian.AppendUint16(b, turn)
	return append(b, "\x00\x00\x00\x00\x00\x00GPS 48.17N 2.25E"...)
}

func pngOf(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// hugePNG says in its header that it is 50,000 pixels a side, and is a few
// bytes long.
func hugePNG() []byte {
	header := []byte("IHDR\x00\x00\xc3\x50\x00\x00\xc3\x50\x08\x06\x00\x00\x00")
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d")
	b = append(b, header...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(header))
}

// hugeJPEG does the same; progressive ones take more to decode.
func hugeJPEG(side uint16, progressive bool) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, byte(side >> 8), byte(side), byte(side >> 8), byte(side), 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xff, 0xda}
	if progressive {
		b[3] = 0xc2
	}
	return b
}

func zipOf(tb testing.TB, parts ...string) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i+1 < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(w, parts[i+1]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

const message1 = "From: Mme Martin <m@example.org>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0100\r\nSubject: Projecteur\r\n\r\n<script>alert(1)</script>\r\n"

// What is accepted is told by content, whatever the name says, and gets the
// ending of what it is.
func TestTypes(t *testing.T) {
	t.Parallel()
	small := halves(40, 20)
	var animated bytes.Buffer
	if err := gif.Encode(&animated, small, nil); err != nil {
		t.Fatal(err)
	}
	accepted := []struct {
		what, name string
		data       []byte
		want       Type
		wantName   string
	}{
		{"a photo", "IMG_1.JPG", jpegOf(t, small, nil), JPEG, "IMG_1.JPG"},
		{"a photo with another name", "facture.pdf", jpegOf(t, small, nil), JPEG, "facture.pdf.jpg"},
		{"a screenshot", "écran.png", pngOf(t, small), PNG, "écran.png"},
		{"a GIF becomes a PNG", "écran.gif", animated.Bytes(), PNG, "écran.png"},
		{"no name", "", pngOf(t, small), PNG, "photo.png"},
		{"a path", `C:\Users\martin\Photos\a.png`, pngOf(t, small), PNG, "a.png"},
		{"a name that turns", "a\u202egnp.exe", pngOf(t, small), PNG, "agnp.exe.png"},
		{"a PDF", "devis.pdf", []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), PDF, "devis.pdf"},
		{"a text called a page", "page.html", []byte("Le poste ne démarre plus."), Text, "page.html.txt"},
		{"a text in Windows-1252", "note.txt", []byte("d\xe9marrage"), Text, "note.txt"},
		{"a log", "setup.log", []byte("[INFO] start\n[WARN] stop\n"), Text, "setup.log"},
		{"a table", "stock.csv", []byte("a;b;c\n1;2;3\n4;5;6\n"), CSV, "stock.csv"},
		{"a message", "courriel.eml", []byte(message1), Mail, "courriel.eml"},
		{"a document", "note.docx", zipOf(t, "[Content_Types].xml", "<x/>", "word/document.xml", "<w/>"), DOCX, "note.docx"},
		{"a workbook", "a.xlsx", zipOf(t, "[Content_Types].xml", "<x/>", "xl/workbook.xml", "<w/>"), XLSX, "a.xlsx"},
		{"an open sheet", "a.ods", zipOf(t, "mimetype", string(ODS), "content.xml", "<w/>"), ODS, "a.ods"},
		{"an open text", "a.odt", zipOf(t, "mimetype", string(ODT), "content.xml", "<w/>"), ODT, "a.odt"},
	}
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		for _, c := range accepted {
			a := h.put(t, system, c.name, c.data)
			if a.Type != c.want || a.Name != c.wantName {
				t.Errorf("%s: %s called %q, want %s called %q", c.what, a.Type, a.Name, c.want, c.wantName)
			}
			got := h.read(t, h.technician, a.ID)
			if int64(len(got)) != a.Size || !a.Type.Picture() && !bytes.Equal(got, c.data) {
				t.Errorf("%s: %d bytes come back, %d of %d put", c.what, len(got), a.Size, len(c.data))
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("\x00", 60<<20)
	many := make([]string, 0, 2*(maxEntries+10))
	for range maxEntries + 10 {
		many = append(many, "x", "")
	}
	lying := zipOf(t, "[Content_Types].xml", "<x/>", "word/document.xml", strings.Repeat("a", 100_000))
	// The list says that the second entry is 10 bytes long.
	at := bytes.LastIndex(lying, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(lying[at+24:], 10)
	encrypted := zipOf(t, "[Content_Types].xml", "<x/>", "word/document.xml", "<w/>")
	encrypted[bytes.LastIndex(encrypted, []byte("PK\x01\x02"))+8] |= 1
	refused := []struct {
		what string
		data []byte
		want no
	}{
		{"nothing", nil, errEmpty},
		{"bytes", []byte{1, 2, 3, 4}, errUnknown},
		{"a text with bytes at its end", append(bytes.Repeat([]byte("mot "), 40_000), 0), errUnknown},
		{"a page", []byte("  <!DOCTYPE html><p>"), errPage},
		{"a drawing", []byte(`<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), errPage},
		{"a program", []byte("MZ\x90\x00"), errProgram},
		{"a script", []byte("#!/bin/sh\nrm -rf /\n"), errProgram},
		{"a film", []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00"), errVideo},
		{"a photo of a phone", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), errHEIC},
		{"an old document", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on"), errOffice},
		{"a zip", zipOf(t, "a.txt", "a"), errArchive},
		{"a zip of zeros", zipOf(t, "a.txt", zeros), errBomb},
		{"a document of zeros", zipOf(t, "[Content_Types].xml", "<x/>", "word/document.xml", zeros), errBomb},
		{"a zip of many entries", zipOf(t, many...), errBomb},
		{"a document that lies about its size", lying, errBroken},
		{"a document with a password", encrypted, errEncrypted},
		{"a document with macros", zipOf(t, "[Content_Types].xml", "<x/>", "word/document.xml", "<w/>", "word/vbaProject.bin", "x"), errMacros},
		{"the beginning of a zip", zipOf(t, "a.txt", "a")[:20], errBroken},
		{"a gzip", []byte("\x1f\x8b\x08\x00"), errArchive},
		{"a PNG of 50,000 pixels a side", hugePNG(), errPixels},
		{"a JPEG of 50,000 pixels a side", hugeJPEG(50_000, false), errPixels},
		{"a progressive JPEG of 8,000 pixels a side", hugeJPEG(8_000, true), errPixels},
		{"the beginning of a photo", jpegOf(t, halves(40, 40), nil)[:300], errBroken},
		{"a photo without its end", []byte("\xff\xd8\xff"), errBroken},
		{"a web picture that is none", []byte("RIFF\x00\x00\x00\x00WEBPVP8 nothing"), errBroken},
	}
	h := build(t, testkit.SQLite(t))
	for _, c := range refused {
		t.Run(c.what, func(t *testing.T) {
			_, err := h.Put(context.Background(), h.teacher, "x.jpg", bytes.NewReader(c.data))
			wantKey(t, err, "error.attachment."+string(c.want))
		})
	}
	if contents, chunks := h.chunks(t); contents != 0 || chunks != 0 {
		t.Errorf("refused files left %d contents and %d chunks", contents, chunks)
	}
}

// endless gives letters for ever, and counts.
type endless struct{ given int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	e.given += int64(len(p))
	return len(p), nil
}

// A file that is too long is refused as soon as it is known to be: 60 MB, or
// without end.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	e := &endless{}
	_, err := h.Put(context.Background(), h.teacher, "long.txt", e)
	wantKey(t, err, "error.attachment.too_large")
	if e.given > MaxSize+1<<20 {
		t.Errorf("%d bytes were read of a file without end", e.given)
	}
	_, err = h.Put(context.Background(), h.teacher, "long.txt", bytes.NewReader(make([]byte, 60<<20)))
	wantKey(t, err, "error.attachment.too_large")
}

// A photo keeps what is seen and nothing of what the camera wrote beside it.
func TestPhotosAreMadeAnew(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		photo := jpegOf(t, halves(4000, 1000), exif(6)) // held upright: a quarter turn to the right
		if !bytes.Contains(photo, []byte("GPS 48.17N")) {
			t.Fatal("the photo tells no place")
		}
		a := h.put(t, h.teacher, "photo.jpg", photo)
		if a.Width != maxSide/4 || a.Height != maxSide || a.Thumb.Height != thumbSide {
			t.Errorf("%d × %d, thumbnail %d × %d", a.Width, a.Height, a.Thumb.Width, a.Thumb.Height)
		}
		kept := h.read(t, h.teacher, a.ID)
		for _, trace := range []string{"GPS", "Exif", "48.17"} {
			if bytes.Contains(kept, []byte(trace)) {
				t.Errorf("%q is still in the photo", trace)
			}
		}
		img := must[image.Image](t)(jpeg.Decode(bytes.NewReader(kept)))
		top, _, _, _ := img.At(a.Width/2, a.Height/4).RGBA()
		bottom, _, _, _ := img.At(a.Width/2, a.Height*3/4).RGBA()
		if top < 0xb000 || bottom > 0x3000 { // what was on the left is at the top
			t.Errorf("red is %x at the top and %x at the bottom", top, bottom)
		}
	})
}

// Every orientation puts the same corner at the top left.
func TestUpright(t *testing.T) {
	t.Parallel()
	// Where the mark of the upright picture (top left) lies in one that is held
	// in each of the eight ways.
	lies := map[int]image.Point{1: {0, 0}, 2: {3, 0}, 3: {3, 1}, 4: {0, 1}, 5: {0, 0}, 6: {0, 1}, 7: {1, 3}, 8: {3, 0}}
	lies[6], lies[8], lies[7] = image.Pt(0, 3), image.Pt(1, 0), image.Pt(1, 3)
	for turn, at := range lies {
		w, h := 4, 2
		if turn >= 5 {
			w, h = 2, 4
		}
		held := image.NewRGBA(image.Rect(0, 0, w, h))
		held.SetRGBA(at.X, at.Y, color.RGBA{R: 255, A: 255})
		up := upright(held, turn)
		if up.Rect.Dx() != 4 || up.Rect.Dy() != 2 || up.RGBAAt(0, 0).R != 255 {
			t.Errorf("orientation %d: %v, mark at the top left: %v", turn, up.Rect, up.RGBAAt(0, 0))
		}
	}
}

// Shrinking keeps the mean of a picture and its size's proportions.
func TestShrink(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{1000, 700}, {701, 1003}, {481, 3}, {5000, 1}, {480, 480}, {3, 5}} {
		src := noise(size.X, size.Y)
		got := shrink(src, thumbSide)
		if longer := max(got.Rect.Dx(), got.Rect.Dy()); longer != min(thumbSide, max(size.X, size.Y)) {
			t.Errorf("%v becomes %v", size, got.Rect)
		}
		mean := func(pix []uint8) float64 {
			sum := 0.0
			for i := 0; i < len(pix); i += 4 {
				sum += float64(pix[i])
			}
			return sum / float64(len(pix)/4)
		}
		if before, after := mean(src.Pix), mean(got.Pix); before-after > 1.5 || after-before > 1.5 {
			t.Errorf("%v: the mean goes from %.1f to %.1f", size, before, after)
		}
		for i := 3; i < len(got.Pix); i += 4 {
			if got.Pix[i] != 255 {
				t.Fatalf("%v: an opaque picture lets through at byte %d: %d", size, i, got.Pix[i])
			}
		}
	}
}

// A content is kept once, whoever puts it and however often, and goes with the
// last attachment that has it.
func TestContentsAreKeptOnce(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		long := bytes.Repeat([]byte("Le poste ne démarre plus. "), 80_000) // some chunks
		ends := make(chan error, 4)
		for range 4 {
			go func() {
				_, err := h.Put(ctx, h.teacher, "note.txt", bytes.NewReader(long))
				ends <- err
			}()
		}
		for range 4 {
			if err := <-ends; err != nil {
				t.Fatal(err)
			}
		}
		if contents, chunks := h.chunks(t); contents != 1 || chunks != (len(long)+chunkSize-1)/chunkSize {
			t.Errorf("%d contents, %d chunks", contents, chunks)
		}
		first := h.put(t, h.technician, "autre.txt", long)
		if got := h.read(t, h.technician, first.ID); !bytes.Equal(got, long) {
			t.Error("what comes back is not what was put")
		}
		if err := h.Attach(ctx, h.technician, h.own, []int64{first.ID}, false); err != nil {
			t.Fatal(err)
		}
		n, err := h.Collect(ctx, 1, sqldb.Now().Add(25*time.Hour))
		if n != 4 || err != nil {
			t.Errorf("%d forgotten, %v; want the four that nobody attached", n, err)
		}
		if contents, _ := h.chunks(t); contents != 1 {
			t.Errorf("%d contents while one is attached", contents)
		}
		if _, err := h.Remove(ctx, h.technician, first.ID); err != nil {
			t.Fatal(err)
		}
		if n, err := h.Purge(ctx, system, sqldb.Now().Add(time.Hour)); n != 1 || err != nil {
			t.Errorf("%d purged, %v", n, err)
		}
		if contents, chunks := h.chunks(t); contents != 0 || chunks != 0 {
			t.Errorf("%d contents and %d chunks are left", contents, chunks)
		}
		h.holds(t)
	})
}

// holds checks that what is stored is what the journal says.
func (h *house) holds(tb testing.TB) {
	tb.Helper()
	r, err := journal.CheckRebuild(context.Background(), h.db, 1, []journal.Projection{h.Projection()}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for _, d := range r.Differences {
		tb.Error(d)
	}
	if r.Tables[0].Stored == 0 {
		tb.Error("nothing was compared")
	}
}

// Who sees what: before it is attached, who put it; then who sees the
// incident, unless it is for the unit.
func TestScope(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		a := h.put(t, h.teacher, "a.txt", []byte("de la déclarante"))
		hidden := h.put(t, h.technician, "b.txt", []byte("pour l'unité"))
		sees := func(by auth.Identity, id int64) bool {
			_, err := h.Get(ctx, by, id)
			if err != nil && !fault.Is(err, fault.NotFound) {
				t.Fatal(err)
			}
			return err == nil
		}
		if !sees(h.teacher, a.ID) || sees(h.technician, a.ID) || sees(h.colleague, a.ID) || sees(auth.Identity{}, a.ID) {
			t.Error("a file that waits is seen by others, or not by who put it")
		}
		// Somebody else's file cannot be attached, nor one to an incident out of scope.
		wantKey(t, h.Attach(ctx, h.technician, h.own, []int64{a.ID}, false), "error.attachment.not_found")
		wantKey(t, h.Attach(ctx, h.colleague, h.own, []int64{a.ID}, false), "error.incident.not_found")
		if err := h.Attach(ctx, h.teacher, h.own, []int64{a.ID}, true); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a declarant hides from the declarant: %v", err)
		}
		if err := errors.Join(h.Attach(ctx, h.teacher, h.own, []int64{a.ID}, false), h.Attach(ctx, h.technician, h.own, []int64{hidden.ID}, true)); err != nil {
			t.Fatal(err)
		}
		if !sees(h.teacher, a.ID) || !sees(h.technician, a.ID) || sees(h.colleague, a.ID) {
			t.Error("an attached file is not seen as its incident is")
		}
		if sees(h.teacher, hidden.ID) || !sees(h.technician, hidden.ID) {
			t.Error("what is for the unit is not kept for it")
		}
		if all := must[[]Attachment](t)(h.Of(ctx, h.teacher, h.own)); len(all) != 1 || all[0].ID != a.ID {
			t.Errorf("the declarant's list is %v", all)
		}
		if all := must[[]Attachment](t)(h.Of(ctx, h.technician, h.own)); len(all) != 2 {
			t.Errorf("the unit's list is %v", all)
		}
		if _, err := h.Remove(ctx, h.teacher, hidden.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("a declarant removes what they do not see: %v", err)
		}
		if _, err := h.Remove(ctx, h.technician, a.ID); err != nil {
			t.Errorf("the unit removes a declarant's file: %v", err)
		}
		if _, _, err := h.Open(ctx, h.teacher, a.ID, false); !fault.Is(err, fault.NotFound) {
			t.Errorf("a removed file opens: %v", err)
		}
		h.holds(t)
	})
}

func TestWaitingFilesAreBounded(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	for range MaxPending {
		h.put(t, h.teacher, "a.txt", []byte("a"))
	}
	_, err := h.Put(context.Background(), h.teacher, "a.txt", strings.NewReader("a"))
	wantKey(t, err, "error.attachment.too_many_pending")
	h.put(t, h.colleague, "a.txt", []byte("a"))
}

// failing ends as a disk does that is full.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestFullDiskIsSaid(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	_, err := h.Put(context.Background(), h.teacher, "a.txt", failing{})
	wantKey(t, err, "error.attachment.no_room")
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}

// A part of a content can be asked for anywhere.
func TestContentSeeks(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	long := make([]byte, 3*chunkSize+100)
	for i := range long {
		long[i] = byte('a' + i/1000%26)
	}
	a := h.put(t, h.teacher, "a.txt", long)
	_, c, err := h.Open(context.Background(), h.teacher, a.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []int{0, chunkSize - 1, chunkSize, 2*chunkSize + 7, len(long) - 1, len(long)} {
		must[int64](t)(c.Seek(int64(from), io.SeekStart))
		if got := must[[]byte](t)(io.ReadAll(c)); !bytes.Equal(got, long[from:]) {
			t.Errorf("from %d: %d bytes, want %d", from, len(got), len(long)-from)
		}
	}
}
