package main

func files() []mutant {
	return []mutant{
		{row: "file", file: "sqlitestore/write.go", in: "sqlitestore", tests: "^TestCloseLetsGo$", why: "who closes a connection closes what it prepared", edits: []edit{{
			"		_ = c.close()\n",
			"",
		}}},
		{row: "file", file: "sqlitestore/write.go", in: "sqlitestore", tests: "^TestConnectionsDropped$", why: "where there is no log there is no file", edits: []edit{{
			"	if w.conns[durable] == nil && w.conns[light] == nil {\n",
			"	if false {\n",
		}}},
		{row: "file", file: "sqlitestore/write.go", in: "sqlitestore", tests: "^TestMoved$", why: "SQLite says when its file is gone", edits: []edit{{
			"	if err == nil {\n		err = w.file.check()\n	}\n",
			"",
		}}},
	}
}
