# Writes entity/src/generated.rs from the files of entity/src/tables: `just entities`.
#
# Every table with an id has its columns in their order, and the traits that these columns give it.

BEGIN {
  width = 100
  # Written for the database alone, to search in and to hold apart: no query reads them.
  split("deleted_at import_key job_number_key search_key x_cm y_cm z_cm", names, " ")
  for (i in names) is_unread[names[i]] = 1
}

FNR == 1 {
  table = FILENAME
  sub(/.*\//, "", table)
  sub(/\.rs$/, "", table)
  in_model = 0
}

/^pub struct Model \{/ { in_model = 1 }
/^}/ { in_model = 0 }

# A column, but no relation.
in_model && /^    pub [a-z0-9_]+: / && !/: (BelongsTo|HasMany|HasOne)</ {
  name = $2
  sub(/:$/, "", name)
  has[table, name] = 1
  if (is_unread[name]) unread[table] = unread[table] (unread[table] ? " " : "") name
  else read[table] = read[table] (read[table] ? " " : "") name
  if (name == "id") tables[++count] = table
}

END {
  print "//! What `just entities` makes of `tables`: the columns of each table with an id, and its traits. @generated"
  print ""
  print "use crate::{"
  print "    rows::ordered_columns,"
  print "    tables::*,"
  print "    traits::{identified, tenant_entities, versioned},"
  print "};"
  print ""
  print "ordered_columns! {"
  for (i = 1; i <= count; i++) {
    table = tables[i]
    print "    " table " {"
    list(read[table], unread[table])
    print "    }"
  }
  print "}"
  print ""
  print "identified! {"
  for (i = 1; i <= count; i++) if (!has[tables[i], "organization_id"]) print "    " tables[i] ","
  print "}"
  print ""
  print "tenant_entities! {"
  for (i = 1; i <= count; i++) if (has[tables[i], "organization_id"]) print "    " tables[i] ","
  print "}"
  print ""
  print "versioned! {"
  for (i = 1; i <= count; i++) {
    table = tables[i]
    if (has[table, "version"] && has[table, "updated_at"]) print "    " table ": \"" title(table) "\","
  }
  print "}"
}

# Columns in lines, and after a semicolon those that are not read.
function list(columns, others,    words, more, number, i, line, word) {
  number = split(columns, words, " ")
  for (i = 1; i <= number; i++) words[i] = words[i] (i == number && others ? ";" : ",")
  others = split(others, more, " ")
  for (i = 1; i <= others; i++) words[++number] = more[i] (i == others ? "" : ",")
  line = "       "
  for (i = 1; i <= number; i++) {
    word = " " words[i]
    if (length(line word) > width) {
      print line
      line = "       "
    }
    line = line word
  }
  print line
}

# The name of a table as messages have it.
function title(table) {
  gsub(/_/, " ", table)
  sub(/^api /, "API ", table)
  return table
}
