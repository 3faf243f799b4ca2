package web

import (
	"errors"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"statincidents/internal/attachment"
	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
)

// Forms that take files.
const (
	filesName = attachment.Field // the control
	keptName  = "attachment"     // files received with an earlier showing of the form
	filesBody = 64 << 20         // bytes of such a form, all files together
	filesTime = 5 * time.Minute  // over a slow line
)

// FilesField is the control of a form that takes files, with those that were
// received before the form was refused.
type FilesField struct {
	Field

	Camera string // label of the button that opens a phone's camera
	Drop   string
	Kept   []KeptFile
	Most   int
	MaxMB  int
	// Said by the script.
	TooLarge, TooMany, List, TakeOff string
}

// KeptFile is a file that a refused form holds.
type KeptFile struct{ ID, Name, Label string }

// filesField makes the control. Its form is sent as multipart/form-data by
// post, to a page that accepts filesBody and calls takeFiles.
func (r *Request) filesField(f *Form) (FilesField, error) {
	c := FilesField{
		Field:  f.File(filesName, r.T("attachment.field"), attachment.Accept).Hinted(r.T("attachment.hint", "count", attachment.MaxAtOnce, "max", attachment.MaxSize>>20)),
		Camera: r.T("attachment.camera"), Drop: r.T("attachment.drop"), Most: attachment.MaxAtOnce, MaxMB: attachment.MaxSize >> 20,
		TooLarge: r.T("attachment.script.too_large", "name", "{name}", "max", attachment.MaxSize>>20),
		TooMany:  r.T("attachment.script.too_many", "max", attachment.MaxAtOnce), List: r.T("attachment.script.list"), TakeOff: r.T("attachment.take_off", "name", "{name}"),
	}
	c.Multiple = true
	kept, err := r.Server.deps.Files.Pending(r.Context(), r.Who, keptIDs(f))
	if err != nil && !fault.Is(err, fault.Invalid) {
		return c, err
	}
	for _, a := range kept {
		c.Kept = append(c.Kept, KeptFile{ID: id(a.ID), Name: a.Name, Label: Legend(a.Name, r.Bytes(a.Size))})
	}
	return c, nil
}

func keptIDs(f *Form) []int64 {
	var ids []int64
	for _, v := range f.All(keptName) {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 && !slices.Contains(ids, n) {
			ids = append(ids, n)
		}
	}
	return ids
}

// takeFiles receives the files of a form and gives their numbers, with those
// that were received before. Those that are refused are told in the error; the
// others stay in the form, so that nothing is sent twice.
func (r *Request) takeFiles(f *Form) ([]int64, error) {
	store := r.Server.deps.Files
	before, err := store.Pending(r.Context(), r.Who, keptIDs(f))
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, a := range before {
		ids = append(ids, a.ID)
	}
	var bad fault.Fields
	if r.MultipartForm != nil {
		for _, part := range r.MultipartForm.File[filesName] {
			if part.Filename == "" && part.Size == 0 {
				continue // nothing chosen
			}
			if len(ids) >= attachment.MaxAtOnce {
				bad.Add(filesName, "error.attachment.too_many", "max", attachment.MaxAtOnce)
				break
			}
			file, err := part.Open()
			if err != nil {
				return nil, err
			}
			a, err := store.Put(r.Context(), r.Who, part.Filename, file)
			_ = file.Close()
			refusal, told := errors.AsType[*fault.Error](err)
			switch {
			case err == nil:
				ids = append(ids, a.ID)
			case told && refusal.Code == fault.Invalid:
				bad = append(bad, refusal.Fields...)
			case told:
				// A full disk, too many files: said beside the control, so that what
				// was typed is kept.
				bad.Add(filesName, refusal.Key, flat(refusal.Args)...)
			default:
				return nil, err
			}
		}
	}
	f.values[keptName] = nil
	for _, n := range ids {
		f.values.Add(keptName, id(n))
	}
	return ids, bad.Err()
}

func flat(args map[string]any) []any {
	var list []any
	for k, v := range args {
		list = append(list, k, v)
	}
	return list
}

// AttachmentView is an attachment as a page shows it.
type AttachmentView struct {
	Name     string
	Href     string
	Thumb    string // "" when it is no picture
	Width    int    // of the thumbnail
	Height   int
	Alt      string
	Note     string
	Internal bool
	Gone     string // said instead when it was removed
	Remove   string // address that asks, "" for whoever may not
	Label    string // of the removal
	Icon     string
}

var typeIcons = map[attachment.Type]string{attachment.CSV: "table-2", attachment.XLSX: "table-2", attachment.ODS: "table-2", attachment.Mail: "mail"}

// viewAttachments shows attachments of an incident, in their order.
func (n *names) viewAttachments(all []attachment.Attachment) ([]AttachmentView, error) {
	var views []AttachmentView
	for _, a := range all {
		who, err := n.actor(a.By)
		if err != nil {
			return nil, err
		}
		v := AttachmentView{
			Name: a.Name, Href: "/attachments/" + id(a.ID), Note: n.r.Bytes(a.Size), Internal: a.Internal,
			Alt: n.r.T("attachment.alt", "name", a.Name, "who", who), Icon: typeIcons[a.Type],
		}
		if v.Icon == "" {
			v.Icon = "paperclip"
		}
		switch {
		case !a.RemovedAt.IsZero():
			by, err := n.actor(a.RemovedBy)
			if err != nil {
				return nil, err
			}
			v.Gone = n.r.T("attachment.removed", "who", by)
		case !a.PurgedAt.IsZero():
			v.Gone = n.r.T("attachment.gone")
		default:
			if a.Thumb.SHA256 != "" {
				v.Thumb, v.Width, v.Height = v.Href+"/thumb", a.Thumb.Width, a.Thumb.Height
			}
			if a.By == n.r.Who.Actor() || n.r.Who.Can(auth.HandleIncident) {
				v.Remove, v.Label = v.Href+"/remove", n.r.T("attachment.remove.named", "name", a.Name)
			}
		}
		views = append(views, v)
	}
	return views, nil
}

func (s *Server) attachmentRoutes() {
	s.page("GET /attachments/{id}", s.attachment, lasts(filesTime))
	s.page("GET /attachments/{id}/thumb", s.attachmentThumb)
	s.page("GET /attachments/{id}/remove", s.confirmRemoveAttachment)
	s.page("POST /attachments/{id}/remove", s.removeAttachment)
}

func (s *Server) attachment(r *Request) error      { return s.serveAttachment(r, false) }
func (s *Server) attachmentThumb(r *Request) error { return s.serveAttachment(r, true) }

// inert keeps what is served from running anything, whatever it is.
const inert = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

// serveAttachment sends a file as what it was found to be. Pictures are shown,
// the rest is downloaded; the browser asks again each time, so that the right
// to see it is checked each time, and is told when it has it already.
func (s *Server) serveAttachment(r *Request, thumb bool) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	a, content, err := s.deps.Files.Open(r.Context(), r.Who, number, thumb)
	if err != nil {
		return err
	}
	kind, tag, how := string(a.Type), a.SHA256, "attachment"
	if thumb {
		kind, tag = string(attachment.JPEG), a.Thumb.SHA256
	}
	if a.Type.Picture() && r.Address.Get("download") == "" {
		how = "inline"
	}
	h := r.W.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": a.Name}))
	h.Set("Content-Security-Policy", inert)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(r.W, r.Request, "", a.At, content)
	return nil
}

func (s *Server) confirmRemoveAttachment(r *Request) error {
	a, err := s.removable(r)
	if err != nil {
		return err
	}
	return r.Confirm(Confirm{
		Title: r.T("attachment.remove.title"), Text: r.T("attachment.remove.text", "name", a.Name), Verb: r.T("attachment.remove"),
		Action: r.URL.Path, Cancel: "/incidents/" + id(a.Incident), Crumbs: []Link{{Label: r.T("incident.number", "number", id(a.Incident)), Href: "/incidents/" + id(a.Incident)}},
	})
}

func (s *Server) removable(r *Request) (attachment.Attachment, error) {
	number, err := r.pathID()
	if err != nil {
		return attachment.Attachment{}, err
	}
	a, err := s.deps.Files.Get(r.Context(), r.Who, number)
	if err == nil && a.By != r.Who.Actor() {
		err = r.Who.Require(auth.HandleIncident)
	}
	return a, err
}

func (s *Server) removeAttachment(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	a, err := s.deps.Files.Remove(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("attachment.remove.done", "name", a.Name)}); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(a.Incident))
}

// incidentFiles are the attachments of an incident by the event that brought
// them, and those that no event names.
func (n *names) incidentFiles(i incident.Incident, story []incident.Entry) (map[int64]AttachmentView, []AttachmentView, error) {
	var named []int64
	for k := range story {
		named = append(named, story[k].Attachments...)
	}
	all, err := n.r.Server.deps.Files.Of(n.r.Context(), n.r.Who, i.ID)
	if err != nil {
		return nil, nil, err
	}
	views, err := n.viewAttachments(all)
	if err != nil {
		return nil, nil, err
	}
	by := make(map[int64]AttachmentView, len(all))
	var rest []AttachmentView
	for k, v := range views {
		if by[all[k].ID] = v; !slices.Contains(named, all[k].ID) {
			rest = append(rest, v)
		}
	}
	return by, rest, nil
}
