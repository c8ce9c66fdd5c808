# Бір тілге бір каталог; оны беттер де, сервер де оқиды. Алты файлдың кілттері бірдей.
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
language-unreviewed = Бұл аударманы ана тілінде сөйлейтін медицина маманы әлі тексерген жоқ
