package demo

import (
	"encoding/base64"
	"fmt"
	"mime"
	"strings"
	"time"

	"statincidents/internal/directory"
)

// Letters are messages that come to the service's mailbox, as mail programs
// write them: of the teacher and the referent of the demonstration, of people
// whom the directory does not know, of machines.
func Letters(cast Cast, schools []directory.School, now time.Time) [][]byte {
	n := 0
	letter := func(from, email, subject, body string, headers ...string) []byte {
		n++
		at := now.Add(-time.Duration(n*47) * time.Minute)
		lines := append([]string{
			"From: " + mime.QEncoding.Encode("utf-8", from) + " <" + email + ">", "To: incidents@departement.example", "Subject: " + mime.QEncoding.Encode("utf-8", subject),
			"Date: " + at.Format(time.RFC1123Z), fmt.Sprintf("Message-ID: <demonstration.%d.%d@college.example>", now.Unix(), n), "MIME-Version: 1.0",
		}, headers...)
		if len(headers) == 0 {
			lines = append(lines, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "", base64.StdEncoding.EncodeToString([]byte(body)))
		} else {
			lines = append(lines, "", body)
		}
		return []byte(strings.Join(lines, "\r\n") + "\r\n")
	}
	school := "Collège"
	if len(schools) > 3 {
		school = schools[3].Name
	}
	list := [][]byte{
		letter("Nadia Leroy", "nadia.leroy@ac-orleans-tours.example", "Wifi coupé en salle des professeurs",
			"Bonjour,\n\nDepuis ce matin il n'y a plus de wifi en salle des professeurs. Les ordinateurs branchés en filaire fonctionnent.\n\nMerci d'avance,\n\nNadia Leroy\nProfesseure de lettres\n"+school),
		letter("Secrétariat", "secretariat.0451234x@ac-orleans-tours.example", "TR: imprimante KPC-ADMIN-03",
			"Bonjour, pouvez-vous regarder ?\n\nCordialement,\nLe secrétariat\n\n________________________________\nDe : Gestionnaire <gestion@college.example>\nEnvoyé : lundi 23 novembre 2026 16:58\nÀ : Secrétariat <secretariat@college.example>\nObjet : imprimante KPC-ADMIN-03\n\nLe copieur de l'administration affiche « bourrage papier » alors qu'il n'y a pas de papier coincé. Nous avons ouvert les deux capots."),
		letter("Promotions bureautique", "offres@promo.example", "Vos toners à −40 % cette semaine", "Profitez-en vite.\nPour ne plus recevoir nos offres, cliquez ici."),
		letter("Luc Petit", "luc.petit@college.example", "Réponse automatique : votre incident est pris en charge", "Je suis absent jusqu'au lundi 30 novembre.", "Auto-Submitted: auto-replied", "Content-Type: text/plain; charset=utf-8"),
	}
	if cast.Declarant.Email != "" {
		list = append(list, letter(cast.Declarant.Name, cast.Declarant.Email, "Écran bleu sur le poste du professeur",
			"Bonjour,\n\nLe poste du professeur affiche un écran bleu au démarrage, deux fois sur trois.\n\nBonne journée,\n"+cast.Declarant.Name+"\n\nEnvoyé de mon iPhone"))
	}
	return list
}
