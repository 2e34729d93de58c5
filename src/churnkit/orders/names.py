"""What columns are called, in a dozen languages.

Names are compared as keys: lower case, no accents, letters and digits only, so `Customer ID`, `customerId` and
`CUSTOMER_ID` are one name.
"""

import re
import unicodedata
from typing import Final

ROLES: Final = ("customer", "date", "amount", "order", "product", "quantity", "price", "market")


def name_key(name: str) -> str:
    """A name as it is compared.

    Example:
        >>> name_key("Customer-ID"), name_key("N° commande"), name_key("Stückpreis"), name_key("ilość")
        ('customerid', 'ncommande', 'stuckpreis', 'ilosc')
    """
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS)).casefold()
    return "".join(c for c in plain if c.isalnum() and not unicodedata.combining(c))


def name_words(name: str) -> frozenset[str]:
    """The words of a name: split at punctuation, blanks, and where a capital follows a small letter.

    Example:
        >>> sorted(name_words("grandTotal_EUR")), sorted(name_words("CustomerID"))
        (['eur', 'grand', 'total'], ['customer', 'id'])
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return frozenset(key for word in re.split(r"[\W_]+", parted) if (key := name_key(word)))


_LETTERS = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ß": "ss", "º": "", "°": ""})

# Keys by role, best first; the number is what a column gains by bearing the name.
_ALIASES: Final[dict[str, tuple[tuple[int, str], ...]]] = {
    "customer": (
        (110, "customeruniqueid customeruid"),
        (
            100,
            "customerid customernumber customerno customernr customernum customercode customerkey customerref custid "
            "custno custnum clientid clientnumber clientno clientcode memberid membernumber memberno userid buyerid "
            "shopperid accountid accountnumber contactid patronid guestid householdid householdkey visitorid loyaltyid "
            "cardid subscriberid kundennummer kundennr kundenid kundenr kundencode debitorennummer debitor "
            "mitgliedsnummer mitgliedid numeroclient numclient noclient nclient idclient codeclient refclient "
            "idcliente clienteid codigocliente codcliente numerocliente ncliente codicecliente iddocliente "
            "codigodocliente klantnummer klantid klantnr klantcode kundnummer kundnr kundid kundenummer kundeid "
            "kundenr asiakasnumero asiakasid asiakasnro numerklienta idklienta klientid kodklienta nrklienta "
            "customeridentifier customeruserid clientidentifier",
        ),
        (
            80,
            "customer client member user buyer shopper account household patron guest kunde mitglied cliente klant "
            "kund asiakas klient customeremail clientemail buyeremail useremail billingemail emailbilling "
            "customeremailaddress fromemailaddress emailkunde emailclient payeremail",
        ),
        (
            60,
            "email emailaddress mail mailaddress courriel correoelectronico epost sahkoposti adresemail customername "
            "clientname buyername billingname billtoname fullname username kundenname nomclient nombrecliente "
            "nomecliente klantnaam kundnamn kundenavn nazwaklienta phone billingphone telephone",
        ),
        (25, "id name nom nombre nome naam nazwa namn navn"),
    ),
    "date": (
        (
            100,
            "orderdate orderdatetime orderedat orderedon ordertime ordertimestamp orderpurchasetimestamp "
            "ordercreatedat orderplacedat datetimeoforder invoicedate "
            "invoicedatetime purchasedate purchasedat purchasetime "
            "transactiondate transactiontime transactiontimestamp transdate saledate salesdate dateofsale "
            "dateofpurchase orderday bestelldatum auftragsdatum rechnungsdatum kaufdatum belegdatum umsatzdatum "
            "datecommande datedecommande datefacture dateachat datevente fechapedido fechadepedido fechafactura "
            "fechacompra fechaventa dataordine datafattura dataacquisto datavendita datapedido datadopedido "
            "datacompra datavenda besteldatum orderdatum factuurdatum aankoopdatum datazamowienia datazakupu "
            "datasprzedazy datafaktury kopdatum fakturadatum bestillingsdato ordredato kobsdato kjopsdato fakturadato "
            "ostopaiva tilauspaiva paivays",
        ),
        (
            85,
            "date datum fecha dato paiva paivamaara data dia createdat created datecreated createdon createddate "
            "createdutc createddateutc creationdate datetime timestamp dateutc zeitstempel datetimeutc eventtime",
        ),
        (60, "day time paidat paiddate paymentdate processedat completedat datepaid datecompleted tag jour when"),
    ),
    "amount": (
        (
            100,
            "linetotal lineamount linevalue linenet linesum lineprice itemtotal itemamount lineitemtotal rowtotal "
            "extendedprice extendedamount netamount netsales netrevenue netvalue salesamount salesvalue salesprice "
            "saleamount dollarvalue dollarsales positionssumme zeilensumme positionswert gesamtpreis nettobetrag "
            "nettoumsatz montantligne totalligne montantht totalht importelinea totallinea importoriga totaleriga "
            "valorlinha regelbedrag regeltotaal wartosc wartoscpozycji radbelopp linjesum linjebelob itemsubtotal",
        ),
        (
            90,
            "amount revenue sales sale value spend spending turnover net nrevenue umsatz betrag montant importe "
            "importo valor bedrag omzet kwota kwotanetto belopp omsattning belob beloep belop summa omsetning "
            "amountspent paymentvalue transactionamount transactionvalue purchaseamount price_paid pricepaid "
            "chiffredaffaires ventes ventas vendite vendas sprzedaz gross grosssales grossamount totalamount "
            "totalprice paymentamount amountpaid ordervalue "
            "orderamount invoiceamount basketvalue gesamtbetrag totalsum",
        ),
        (
            75,
            "total ordertotal grandtotal subtotal ordertotalamount invoicetotal totalpaid totalspent basegrandtotal "
            "grandtotalpurchased grandtotalbase totale totaal suma somme gesamt gesamtsumme bestellsumme "
            "rechnungsbetrag totalcommande totalpedido totaleordine ordertotaal netpaid charge charged",
        ),
    ),
    "order": (
        (
            100,
            "orderid ordernumber orderno ordernr ordernum ordercode orderref orderkey invoiceno invoiceid "
            "invoicenumber invoicenum invoice transactionid transactionno "
            "transactionnumber transid basketid basketno receiptid "
            "receiptno receiptnumber receipt ticketid ticketno ticketnumber purchaseid saleid saleno bestellnummer "
            "bestellnr bestellid auftragsnummer auftragsnr rechnungsnummer rechnungsnr belegnummer belegnr "
            "numerocommande ncommande numcommande nocommande idcommande commandeid numerofacture nfacture numfacture "
            "idpedido pedidoid numeropedido npedido numerofactura nfactura idordine numeroordine nordine "
            "numerofattura idvenda ordernummer bestelnummer bestellingid factuurnummer numerzamowienia "
            "idzamowienia nrzamowienia numerfaktury ordrenummer ordreid ordrenr bestillingsnummer tilausnumero "
            "fakturanummer incrementid amazonorderid salesorderid checkoutid chargeid cartid",
        ),
        (
            80,
            "order transaction basket bestellung auftrag commande pedido ordine encomenda bestelling zamowienie ordre",
        ),
        (25, "id entityid name number"),
    ),
    "product": (
        (
            100,
            "productid productcode productno productnumber productkey stockcode sku asin itemid itemcode itemno "
            "itemnumber articleid articlenumber articleno upc ean gtin barcode artikelnummer artikelnr artikelid "
            "productsku itemsku lineitemsku variantsku materialnumber referenceproduit codeproduit refproduit "
            "idproduit idproducto codigoproducto idprodotto codiceprodotto idproduto codigoproduto productnummer "
            "idproduktu kodproduktu varenummer varunummer tuotenumero artnr",
        ),
        (
            80,
            "product item article productname itemname lineitemname producttitle itemtitle articlename itemdescription "
            "productdescription artikel produkt artikelbezeichnung artikelname produktname produit article "
            "nomproduit designation producto nombreproducto prodotto nomeprodotto produto nomeproduto productnaam "
            "nazwaproduktu towar vara vare produktnamn varenavn tuote products title",
        ),
        (50, "description desc beschreibung bezeichnung descripcion descrizione descricao omschrijving opis "
             "beskrivning beskrivelse kuvaus category productcategory"),
    ),
    "quantity": (
        (
            100,
            "quantity qty quantitypurchased quantityordered qtyordered orderquantity orderqty itemquantity itemqty "
            "lineitemquantity lineqty units unitssold unitsordered quantityrefund itemssold numberofcds pieces pcs "
            "menge anzahl stuckzahl stuck bestellmenge quantite qte cantidad cant unidades quantita qta pezzi "
            "quantidade qtd qtde aantal hoeveelheid ilosc liczba antal antall maara kpl volume itemcount",
        ),
        (60, "count items numberofitems nitems"),
    ),
    "price": (
        (
            100,
            "unitprice priceperunit priceeach itemprice itemcost lineitemprice productprice unitamount unitvalue "
            "sellingprice einzelpreis stuckpreis preisprostuck prixunitaire prixunitaireht pu preciounitario "
            "prezzounitario precounitario valorunitario eenheidsprijs stukprijs prijsperstuk cenajednostkowa apris "
            "styckpris enhetspris stkpris enhedspris yksikkohinta ahinta priceunit",
        ),
        (80, "price rate preis prix precio prezzo preco prijs cena pris hinta listprice"),
    ),
    "market": (
        (100, "market country countrycode marketplace shipcountry shippingcountry billingcountry saleschannel land "
              "pays pais paese kraj maa marche mercado mercato markt rynek marknad marked"),
        (70, "region store storeid storename shop shopid location branch channel territory salesregion customerstate "
             "filiale magasin tienda negozio loja winkel sklep butik city state"),
    ),
}  # fmt: skip

SCORES: Final[dict[str, dict[str, int]]] = {
    role: {key: points for points, keys in reversed(tiers) for key in keys.split()} for role, tiers in _ALIASES.items()
}

# What a name must not speak of, whatever else it says: the look-alikes of each role.
_TRAPS: Final[dict[str, str]] = {
    "customer": "order invoice transaction product item type group segment note notes since status country city state "
    "address zip count total age gender service number_of",
    "date": "birth birthday dob ship shipped shipping shipment delivery delivered due update updated modified signup "
    "registration registered expiry expires expiration cancelled canceled refunded returned end estimated promised "
    "type id first last approved carrier limit",
    "amount": "tax taxes vat shipping freight discount discounts fee fees tip tips unit refund refunded balance points "
    "rate cost costs profit margin commission count quantity qty percent pct id type number due currency duty "
    "outstanding price",
    "order": "date time status type total value amount item line note notes count quantity customer day hour dow",
    "product": "price quantity qty count total amount cost line width weight",
    "quantity": "price amount total unit returned refunded",
    "price": "total compare discount tax shipping date list",
    "market": "phone id_of",
}
_HINTS: Final[dict[str, tuple[tuple[int, tuple[str, ...]], ...]]] = {
    "customer": (
        (
            70,
            ("customer", "cust", "client", "member", "buyer", "shopper", "kunden", "kunde", "cliente", "klant", "user"),
        ),
        (45, ("email",)),
    ),
    "date": ((50, ("date", "datum", "fecha", "dato", "timestamp", "datetime", "data")),),
    "amount": ((50, ("amount", "revenue", "sales", "spend", "value", "betrag", "umsatz", "montant", "importe")),
               (35, ("total",))),
    "order": ((50, ("order", "invoice", "transaction", "receipt", "basket")),),
    "product": ((45, ("product", "sku", "article", "artikel", "produkt", "item")),),
    "quantity": ((45, ("quantity", "qty", "menge", "units")),),
    "price": ((45, ("price", "preis", "prix", "precio")),),
    "market": ((45, ("country", "market")),),
}  # fmt: skip


def name_score(role: str, name: str) -> int:
    """How well a name speaks for a role: 0 not at all, 100 and more without doubt.

    Example:
        >>> name_score("customer", "Customer ID"), name_score("customer", "Kundennummer")
        (100, 100)
        >>> name_score("date", "Ship Date"), name_score("amount", "Discount Amount")
        (0, 0)
    """
    key = name_key(name)
    exact = SCORES[role].get(key, 0)
    if exact:
        return exact
    words = name_words(name)
    if words & frozenset(_TRAPS[role].split()):
        return 0
    if role == "quantity" and key.startswith("numberof"):
        return 60
    return max((points for points, hints in _HINTS[role] if words & set(hints)), default=0)
