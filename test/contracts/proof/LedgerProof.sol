// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {LedgerCore} from "src-contracts/core/LedgerCore.sol";

/// @dev What the ledger's three movements do to the accounts, from any state: exactly this to one word, nothing to any other. For `npm run
/// test:proof`: the solver tries all values of all arguments and of the storage at once, so nothing here is ever run. A word is `fees 128 | balance 128`;
/// what adding to it does to its halves is proven apart, as a fact about 256 bits.
contract LedgerProof is LedgerCore {
    function proveCredit(address currency, address account, address otherCurrency, address other, uint256 amount)
        external
    {
        require(otherCurrency != currency || other != account);
        uint256 before = _accounts[currency][account];
        uint256 beforeOther = _accounts[otherCurrency][other];

        _credit(currency, account, amount);

        assert(_accounts[currency][account] == before + amount);
        assert(_accounts[otherCurrency][other] == beforeOther);
    }

    function proveCreditPaid(
        address currency,
        address account,
        address otherCurrency,
        address other,
        uint256 paid,
        uint256 fee
    ) external {
        require(otherCurrency != currency || other != account);
        uint256 before = _accounts[currency][account];
        uint256 beforeOther = _accounts[otherCurrency][other];

        _creditPaid(currency, account, paid, fee);

        assert(_accounts[currency][account] == before + ((fee << 128) | paid));
        assert(_accounts[otherCurrency][other] == beforeOther);
    }

    function proveDebit(address currency, address account, address otherCurrency, address other, uint256 amount)
        external
    {
        require(otherCurrency != currency || other != account);
        uint256 before = _accounts[currency][account];
        uint256 beforeOther = _accounts[otherCurrency][other];

        _debit(currency, account, amount);

        assert(uint128(before) >= amount);
        assert(_accounts[currency][account] == before - amount);
        assert(_accounts[otherCurrency][other] == beforeOther);
    }
}
