# Writes entity/src/generated.rs from the files of entity/src/tables: `just entities`.
#
# Every table with an id has its columns in their order, and the traits that these columns give it. Every table of
# organizations stands in `owned_tables`.

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
  if (name == "organization_id") owned[++owned_count] = table
}

# The last column of a foreign key, and after it what it refers to.
in_model && /^        from = "/ {
  from = $0
  sub(/[)",]+$/, "", from)
  sub(/.*[ ("]/, "", from)
}
in_model && /: BelongsTo</ {
  name = $0
  gsub(/.*(BelongsTo<|Option<|super::)|(::)?Entity.*/, "", name)
  if (name) refers[table, name] = 1
  else links[table] = links[table] (links[table] ? ", " : "") camel(from)
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
  print ""
  print "/// Hands a macro the tables of organizations, those first that refer to others, each with the columns by which"
  print "/// its rows refer to others of the same table."
  print "#[macro_export]"
  print "macro_rules! owned_tables {"
  print "    ($each:ident) => {"
  print "        $each! {"
  for (i = 1; i <= owned_count; i++) {
    table = unreferred()
    is_listed[table] = 1
    print "            " table " [" links[table] "],"
  }
  print "        }"
  print "    };"
  print "}"
}

# The first table of organizations that is not listed, and to which no other refers that is not.
function unreferred(    i, j, is_referred) {
  for (i = 1; i <= owned_count; i++) {
    if (is_listed[owned[i]]) continue
    is_referred = 0
    for (j = 1; j <= owned_count; j++) {
      if (!is_listed[owned[j]] && refers[owned[j], owned[i]]) is_referred = 1
    }
    if (!is_referred) return owned[i]
  }
  print "tables refer to each other in a circle" > "/dev/stderr"
  exit 1
}

# The variant of a column: `ParentId` is that of `parent_id`.
function camel(column,    words, number, i, name) {
  number = split(column, words, "_")
  for (i = 1; i <= number; i++) name = name toupper(substr(words[i], 1, 1)) substr(words[i], 2)
  return name
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
