# Хэл бүрт нэг каталог; хуудас ч, сервер ч уншина. Зургаан файлын түлхүүр ижил.
# review: pending
# A native medical reviewer is still needed: docs/languages.md.

product-name = Hyeopjin 협진
page-title = { $page } · Hyeopjin
language-en = English
language-ko = 한국어
language-ru = Русский
language-kk = Қазақша
language-uz = Oʻzbekcha
language-mn = Монгол
language-unreviewed = Энэ орчуулгыг эх хэлтэй эмнэлгийн мэргэжилтэн хараахан хянаагүй
