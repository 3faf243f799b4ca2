package api

import (
	"context"
	"io"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/attachment"
)

// sentFile is a file that is being received: its body is read as it comes.
type sentFile struct {
	Name string `query:"name" required:"true" doc:"What the file is called." maxLength:"255"`

	body io.Reader
}

// Resolve keeps the body to be read by the handler.
func (f *sentFile) Resolve(ctx huma.Context) []error {
	f.body = ctx.BodyReader()
	return nil
}

func wireAttachment(a *attachment.Attachment) wire.Attachment {
	return wire.Attachment{
		ID: a.ID, Name: a.Name, Type: string(a.Type), Size: a.Size, SHA256: a.SHA256, Width: a.Width, Height: a.Height, At: a.At,
		Actor: wire.Actor{Kind: a.By.Kind, ID: a.By.ID}, Incident: a.Incident, Internal: a.Internal, Removed: !a.Shown(),
	}
}

func (a *API) registerAttachments() {
	tag := []string{"incidents"}
	send := huma.Operation{OperationID: "send-attachment", Method: http.MethodPost, Path: "/attachments", Tags: tag, DefaultStatus: http.StatusCreated,
		Summary:     "Send a file",
		Description: "The body is the file, 20 MB at most: JPEG, PNG, WebP, GIF, PDF, text, CSV, XLSX, DOCX, ODS, ODT or an e-mail, told by its content. Pictures are made anew, upright, without what a camera wrote in them. Give its number as one of the attachments of a declaration or a comment; a file that no incident names is forgotten after a day.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}
	register(a, send, func(ctx context.Context, in *sentFile) (*output[wire.Attachment], error) {
		kept, err := a.deps.Files.Put(ctx, identity(ctx), in.Name, in.body)
		if err != nil {
			return nil, err
		}
		return &output[wire.Attachment]{wireAttachment(&kept)}, nil
	})
	register(a, huma.Operation{OperationID: "list-attachments", Method: http.MethodGet, Path: "/incidents/{id}/attachments", Tags: tag,
		Summary: "The files of an incident", Description: "Those for the unit only are left out for other readers."},
		func(ctx context.Context, in *struct{ ByID }) (*output[wire.Attachments], error) {
			all, err := a.deps.Files.Of(ctx, identity(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			list := wire.Attachments{Items: make([]wire.Attachment, len(all))}
			for k := range all {
				list.Items[k] = wireAttachment(&all[k])
			}
			return &output[wire.Attachments]{list}, nil
		})
	get := huma.Operation{OperationID: "get-attachment", Method: http.MethodGet, Path: "/attachments/{id}", Tags: tag,
		Summary: "The content of a file", Description: "To be saved, never to be shown as a page."}
	get.Responses = map[string]*huma.Response{"200": {Description: "The content.", Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}
	register(a, get, func(ctx context.Context, in *struct {
		ID int64 `path:"id" doc:"The attachment's number."`
	}) (*huma.StreamResponse, error) {
		found, _, err := a.deps.Files.Open(ctx, identity(ctx), in.ID, false)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(out huma.Context) {
			_, content, err := a.deps.Files.Open(out.Context(), identity(ctx), in.ID, false)
			if err != nil {
				out.SetStatus(http.StatusInternalServerError)
				return
			}
			out.SetHeader("Content-Type", string(found.Type))
			out.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": found.Name}))
			out.SetHeader("ETag", `"`+found.SHA256+`"`)
			if _, err := io.Copy(out.BodyWriter(), content); err != nil {
				a.deps.Log.WarnContext(ctx, "api: a file was cut", "attachment", found.ID, "error", err)
			}
		}}, nil
	})
	register(a, huma.Operation{OperationID: "remove-attachment", Method: http.MethodDelete, Path: "/attachments/{id}", Tags: tag, DefaultStatus: http.StatusNoContent,
		Summary: "Take a file out of sight", Description: "For who sent it, and for the unit. Its content is kept until the end of retention."},
		func(ctx context.Context, in *struct {
			ID int64 `path:"id" doc:"The attachment's number."`
		}) (*struct{}, error) {
			_, err := a.deps.Files.Remove(ctx, identity(ctx), in.ID)
			return nil, err
		})
}
