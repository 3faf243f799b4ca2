package checklist

import (
	"context"

	"statincidents/internal/auth"
	"statincidents/internal/sqldb"
)

// Seed gives a département its first templates, the work that its unit does
// every week. Where there is a template already, archived or not, nothing is
// added: what an administrator made of them stays.
func (s *Service) Seed(ctx context.Context, by auth.Identity) error {
	var any bool
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := templates(ctx, tx, by.Tenant, ` LIMIT 1`)
		any = len(found) > 0
		return err
	})
	if err != nil || any {
		return err
	}
	for _, t := range seeds {
		if _, err := s.SaveTemplate(ctx, by, t); err != nil {
			return err
		}
	}
	return nil
}

// must is an item that holds back, may one that does not.
func must(kind Kind, text, help string) Item {
	return Item{Text: text, Help: help, Mandatory: true, Kind: kind}
}
func may(kind Kind, text, help string) Item { return Item{Text: text, Help: help, Kind: kind} }

var seeds = []Template{
	{
		Title: "Remplacement d'un poste, étape 1 : échange du poste",
		About: "L'ancien poste est débranché et gardé de côté ; le nouveau est installé à sa place. L'étape 2 récupère les données.",
		Items: []Item{
			must(Asset, "Numéro de bien de l'ancien poste", "Sur l'étiquette, à l'arrière ou sous le poste."),
			must(YesNo, "L'utilisateur a été prévenu et a enregistré son travail", "Demandez aussi quels logiciels il utilise : ils seront vérifiés à la fin."),
			may(Text, "Imprimantes et lecteurs réseau de l'ancien poste", "Nom de chaque imprimante et lettre de chaque lecteur."),
			must(IP, "Adresse IP de l'ancien poste", "ipconfig /all : notez aussi si elle est fixe."),
			must(Nothing, "Ancien poste arrêté, débranché, étiqueté « à récupérer »", "Ne le rendez pas au stock avant la fin de l'étape 2."),
			must(Asset, "Numéro de bien du nouveau poste", ""),
			must(Nothing, "Nouveau poste branché : alimentation, réseau, écran, clavier, souris", ""),
			must(Nothing, "Le poste démarre et ouvre une session du domaine", "Si le poste n'est pas encore au domaine, faites d'abord la liste « Jonction au domaine »."),
			must(YesNo, "L'impression fonctionne", "Imprimez une page de test sur l'imprimante habituelle."),
			must(YesNo, "Les logiciels de l'utilisateur s'ouvrent", "Suite bureautique, navigateur, ENT, logiciel de vie scolaire, logiciels de la discipline."),
			may(Photo, "Photo du poste installé", ""),
			may(Nothing, "Câbles rangés, ancien carton évacué", ""),
		},
	},
	{
		Title: "Remplacement d'un poste, étape 2 : récupération des données",
		About: "Les données de l'ancien poste sont copiées vers le nouveau, contrôlées par l'utilisateur, puis l'ancien poste est effacé.",
		Items: []Item{
			must(Asset, "Numéro de bien de l'ancien poste", ""),
			must(Asset, "Numéro de bien du nouveau poste", ""),
			must(Nothing, "Documents, Bureau et Images copiés", "Y compris les dossiers créés à la racine du disque."),
			must(Nothing, "Favoris et mots de passe du navigateur repris", "Par le compte du navigateur ou par export, jamais en les notant."),
			may(Nothing, "Messagerie locale et signatures reprises", "Si l'utilisateur lit ses messages dans un logiciel installé."),
			may(Text, "Logiciels particuliers à réinstaller", "Nom, version, où se trouve la licence."),
			must(YesNo, "L'utilisateur a contrôlé ses données sur le nouveau poste", "Avec lui, devant l'écran : ouvrez quelques fichiers."),
			must(Number, "Volume copié (Go)", ""),
			must(Nothing, "Disque de l'ancien poste effacé", "Effacement complet, ou retrait et destruction du disque."),
			must(YesNo, "L'ancien poste est retiré du domaine et de l'inventaire actif", ""),
			may(Text, "Destination de l'ancien poste", "Stock, réemploi dans une autre salle, recyclage."),
		},
	},
	{
		Title: "Mastérisation d'un poste",
		About: "Un poste neuf ou remis à zéro reçoit l'image du département et ses réglages.",
		Items: []Item{
			must(Asset, "Numéro de bien", ""),
			must(Text, "Modèle du poste", ""),
			must(YesNo, "Secure Boot activé", "Dans les réglages du micrologiciel (F2 ou F10 au démarrage)."),
			must(Version, "Version du micrologiciel (BIOS/UEFI)", "Mettez-le à jour s'il n'est pas à la version du parc."),
			must(YesNo, "Au moins 8 Go de mémoire", "Poste d'élève : 8 Go et Core i5 ; poste d'enseignant : Core i3."),
			must(Version, "Version de l'image déployée", ""),
			must(Version, "Version de Windows après mises à jour", "winver : 23H2 au moins."),
			must(Nothing, "Pilotes installés, aucun périphérique inconnu", "Gestionnaire de périphériques sans point d'exclamation."),
			must(YesNo, "Antivirus actif et à jour", ""),
			must(Nothing, "Agent d'inventaire installé et vu par le serveur", ""),
			may(Nothing, "Extension mBlock et logiciels de technologie installés", "Pour les postes des salles de technologie et de sciences."),
			must(Nothing, "Étiquette collée et lisible", ""),
		},
	},
	{
		Title: "Jonction au domaine",
		About: "Un poste rejoint le domaine du collège, sous le bon nom et dans la bonne unité d'organisation.",
		Items: []Item{
			must(Asset, "Numéro de bien", "Il donne son nom au poste."),
			must(Text, "Nom du poste dans le domaine", "Réseau, salle et rang, comme les autres postes de la salle."),
			must(IP, "Adresse IP du poste", ""),
			must(IP, "Adresse du serveur le plus proche (DNS)", "Le poste doit interroger le contrôleur du collège, pas une box."),
			must(YesNo, "L'heure du poste est juste", "Plus de cinq minutes d'écart font refuser la jonction."),
			must(Nothing, "Jonction faite, poste redémarré", "L'ancien compte d'ordinateur du même nom est supprimé avant."),
			must(Nothing, "Poste rangé dans la bonne unité d'organisation", "Administratif ou pédagogique, puis la salle."),
			must(YesNo, "Les stratégies s'appliquent", "gpupdate /force, puis gpresult /r."),
			must(YesNo, "Une session d'élève et une session d'enseignant s'ouvrent", "Poste administratif : une session d'agent."),
			may(Nothing, "Compte administrateur local réglé", ""),
		},
	},
	{
		Title: "Mise en service d'un copieur",
		About: "Un copieur du département arrive dans un collège : nom, réseau, envoi des numérisations, relevé des compteurs.",
		Items: []Item{
			must(Asset, "Numéro de bien", ""),
			must(Text, "Nom du copieur", "Sur le modèle KPC-ADMIN-01 : collège, réseau, rang."),
			must(Text, "Numéro de série", ""),
			must(IP, "Adresse IP fixe", "Dans la plage des imprimantes du collège."),
			must(IP, "Serveur DNS", ""),
			must(Text, "Serveur de temps (NTP)", "Sans heure juste, l'envoi chiffré est refusé."),
			must(Text, "Serveur d'envoi (SMTP) et port", ""),
			must(Text, "Adresse de l'expéditeur des numérisations", ""),
			must(YesNo, "Une numérisation arrive dans la boîte du secrétariat", ""),
			must(YesNo, "Impression depuis un poste administratif et un poste pédagogique", "Selon le réseau du copieur."),
			must(YesNo, "Le collecteur de parc voit le copieur", "Relais SNMP : communauté de lecture du département."),
			must(Number, "Compteur noir et blanc au départ", ""),
			may(Number, "Compteur couleur au départ", "Laissez vide pour un copieur noir et blanc."),
			must(Nothing, "Mot de passe d'administration changé", "Rangé dans le coffre de l'unité, jamais sur le copieur."),
			may(Photo, "Photo de l'étiquette et de l'emplacement", ""),
		},
	},
	{
		Title: "Intervention en baie",
		About: "Commutateurs, onduleur, serveurs : avant de débrancher quoi que ce soit, et avant de refermer.",
		Items: []Item{
			must(YesNo, "Le collège est prévenu de la coupure", "Heure de début et durée, à la direction et à la vie scolaire."),
			must(Photo, "Photo de la baie avant l'intervention", "Le brassage doit se lire."),
			must(Nothing, "Configuration du commutateur sauvegardée", ""),
			may(Asset, "Numéro de bien du matériel remplacé", ""),
			may(Asset, "Numéro de bien du nouveau matériel", ""),
			may(Version, "Version du logiciel du commutateur", ""),
			may(IP, "Adresse d'administration", ""),
			must(YesNo, "L'onduleur tient la charge", "Essai d'autonomie, ou âge des batteries inférieur à quatre ans."),
			must(YesNo, "Les réseaux administratif et pédagogique répondent", "Un poste de chaque réseau, sur Internet et sur le serveur."),
			must(YesNo, "Téléphonie, copieurs et bornes Wi-Fi répondent", ""),
			must(Photo, "Photo de la baie après l'intervention", ""),
			must(Nothing, "Baie fermée à clé, local rangé, ventilation dégagée", ""),
		},
	},
}
