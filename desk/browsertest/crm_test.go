package browsertest

import (
	"context"

	"github.com/seed-2a427302/handoff"
)

// crm knows everybody.
type crm struct{}

func (crm) Find(_ context.Context, who handoff.Contact) ([]handoff.Customer, error) {
	return []handoff.Customer{{
		Source: "CRM", ID: "C-1041", Name: who.Name, Mail: "maria@example.com", URL: "https://crm.example.com/C-1041",
		Fields: []handoff.CustomerField{{Label: "Plan", Value: "Gold"}, {Label: "Customer since", Value: "2019"}},
	}}, nil
}

// arabic is enough Arabic to see a page from right to left.
var arabic = map[string]string{
	"nav.inbox": "الوارد", "nav.board": "اللوحة", "nav.history": "السجل", "nav.stats": "التحليلات", "nav.settings": "الإعدادات", "nav.bots": "محادثات الروبوت", "nav.admin": "الإدارة",
	"tab.new": "جديد", "tab.mine": "لي", "tab.all": "الكل", "tab.closed": "مغلق", "accept": "قبول", "decline": "رفض", "details": "التفاصيل", "details.user": "المستخدم",
	"note": "ملاحظة", "mode.reply": "رد", "mode.note": "ملاحظة داخلية", "send.to": "إرسال إلى {who}", "end.finish": "إنهاء", "filter": "تصفية", "live": "متصل", "there.online": "متاح",
}
