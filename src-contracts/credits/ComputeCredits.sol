// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {CreditParameters} from "src-contracts/credits/CreditParameters.sol";
import {CreditRules} from "src-contracts/credits/CreditRules.sol";
import {CreditSettings} from "src-contracts/credits/CreditSettings.sol";
import {IComputeCredits} from "src-contracts/interfaces/IComputeCredits.sol";
import {IJobs} from "src-contracts/interfaces/IJobs.sol";
import {IGoverned} from "src-contracts/interfaces/IMarket.sol";
import {Earned, IReceipts} from "src-contracts/interfaces/IReceipts.sol";
import {Lease, Result} from "src-contracts/types/Lease.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @title Compute credits
/// @notice An ERC-20 that is minted for work which the Market has settled, never for more than the fee of that work is worth, and burnt for
/// priority. `docs/credits.md` has the reasons.
/// @dev MARKET: its receipts are believed: that the work was drawn and its time to be doubted is over, each once. It is called before
/// anything here changes, under a guard.
/// SELF-DEALING: nobody can earn a credit for less than its fee, and nobody need pay more than the offer for one, so paying fees for the
/// credits loses at least four fifths of them (`CreditParameters.MAX_RETURN`), whatever the credits trade at.
/// LIVENESS: anyone may mint for anyone, roll and update; no loop is longer than the caller's arrays.
contract ComputeCredits is CreditSettings, ERC20Permit, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev What one call of `mint` needs of its job, in memory.
    struct Claim {
        bytes32 job;
        uint8 runtime;
        uint32 epoch;
        uint256 rate;
        uint256 weight;
        uint256 target;
        uint256 room;
        uint256 minted;
        uint256 missing;
    }

    bytes32 private constant PRIORITIZE_TYPEHASH =
        keccak256("Prioritize(address owner,bytes32 job,uint256 amount,uint256 nonce,uint256 deadline)");
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    mapping(bytes32 job => uint256) private _priority;

    /// @param market Settles and keeps the receipts.
    /// @param token DPU, which the offer is paid in.
    /// @param owner_ The timelock.
    /// @param epochLength Seconds of an epoch; later it may be turned down to a quarter of this.
    constructor(address market, address token, address owner_, uint24 epochLength)
        ERC20("DPU Compute Credit", "DPUC")
        ERC20Permit("DPU Compute Credit")
        Ownable(owner_)
        CreditSettings(market, token, epochLength)
    {}

    /* WORK */

    /// @inheritdoc IComputeCredits
    function mint(Terms calldata terms, Lease[] calldata leases, Result[] calldata results)
        external
        nonReentrant
        returns (uint256)
    {
        return _mintFor(terms, leases, results, false);
    }

    /// @inheritdoc IComputeCredits
    function mintPanel(Terms calldata terms, Lease[] calldata seats, Result[] calldata results)
        external
        nonReentrant
        returns (uint256)
    {
        return _mintFor(terms, seats, results, true);
    }

    /// @inheritdoc IComputeCredits
    function settleAndMint(Terms calldata terms, Lease[] calldata leases, Result[] calldata results)
        external
        nonReentrant
        returns (uint256)
    {
        IJobs(MARKET).settle(terms, leases, results);
        return _mintFor(terms, leases, results, false);
    }

    /* CREDITS IN USE */

    /// @inheritdoc IComputeCredits
    function prioritize(bytes32 job, uint256 amount) external {
        _prioritize(msg.sender, job, amount);
    }

    /// @inheritdoc IComputeCredits
    function prioritizeWithSignature(
        address owner,
        bytes32 job,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        require(block.timestamp <= deadline, SignatureExpired(deadline));
        bytes32 hash = keccak256(abi.encode(PRIORITIZE_TYPEHASH, owner, job, amount, _useNonce(owner), deadline));
        address signer = ECDSA.recover(_hashTypedDataV4(hash), v, r, s);
        require(signer == owner, SignatureInvalid(signer, owner));

        _prioritize(owner, job, amount);
    }

    /// @inheritdoc IComputeCredits
    function buy(uint256 amount, address to, uint256 mostCost) external nonReentrant returns (uint256 cost) {
        require(amount != 0, AmountZero());
        cost = (amount * _settings.offer + CreditParameters.WAD - 1) / CreditParameters.WAD; // up, against the buyer
        require(cost <= mostCost, CostTooHigh(cost, mostCost));
        address treasury = IGoverned(MARKET).treasury();

        _mint(to, amount);

        emit CreditsBought(msg.sender, to, amount, cost);

        IERC20(TOKEN).safeTransferFrom(msg.sender, treasury, cost);
    }

    /* VIEWS */

    /// @inheritdoc IComputeCredits
    function priorityOf(bytes32 job) external view returns (uint256) {
        return _priority[job];
    }

    /* INTERNAL */

    function _mintFor(Terms calldata terms, Lease[] calldata leases, Result[] calldata results, bool panel)
        private
        returns (uint256)
    {
        Claim memory c = _claimOf(terms);
        IReceipts market = IReceipts(MARKET);
        Earned[] memory earned =
            panel ? market.redeemPanel(terms, leases, results) : market.redeem(terms, leases, results);
        require(earned.length == leases.length, ReceiptsMismatch(leases.length, earned.length));

        Epoch memory e = _rollOver();
        Runtime memory r = _bringUp(c.runtime, e.number);
        c.epoch = e.number;
        c.weight = r.weight;
        c.target = _settings.target;
        c.room = e.minted < e.cap ? e.cap - e.minted : 0; // governance may have turned the cap below what was minted
        for (uint256 i; i < earned.length; ++i) {
            _mintOne(terms, leases[i].first(), earned[i], c, r);
        }
        _runtimes[c.runtime] = r;
        // forge-lint: disable-next-line(unsafe-typecast)
        _epoch.minted = e.minted + uint80(c.minted); // ≤ the cap

        if (c.missing != 0) emit EpochCapReached(c.epoch, c.missing);
        return c.minted;
    }

    /// @dev Everything that must hold before a receipt is used up.
    function _claimOf(Terms calldata terms) private view returns (Claim memory c) {
        c.job = _jobId(terms);
        c.runtime = terms.runtime();
        c.rate = _rates[terms.currency()];
        require(c.rate != 0, CurrencyEarnsNothing(terms.currency()));
        require(_runtimes[c.runtime].perUnit != 0, RuntimeEarnsNothing(c.runtime));
        require(!terms.direct() && terms.node() == 0, WorkNotDrawn(c.job));
        uint256 until = terms.expiry() + CreditParameters.MINT_WITHIN;
        require(block.timestamp <= until, ReceiptTooOld(c.job, until));
    }

    /// @dev Mints for one lease, and counts it in `c` and `r`, which the caller stores.
    function _mintOne(Terms calldata terms, uint32 first, Earned memory work, Claim memory c, Runtime memory r)
        private
    {
        uint256 value = CreditRules.feeValue(work, terms.rules.feeBps(), c.rate);
        uint256 u = CreditRules.pressure(work.price, terms.minPrice(), terms.maxPrice(), c.target);
        uint256 amount = CreditRules.unitValue(work.units, r.perUnit, c.weight);
        if (amount > value) amount = value;
        if (amount > c.room) {
            // First come, first served; but nobody may waste another's receipt in an epoch that has nothing left.
            require(msg.sender == work.owner, CapLeavesLess(work.owner, amount, c.room));
            c.missing += amount - c.room;
            amount = c.room;
        }
        c.room -= amount;
        c.minted += amount;
        _count(r, value / CreditParameters.MICRO, u);

        emit CreditsMinted(c.job, work.node, work.owner, first, c.runtime, c.epoch, amount, value, u);

        if (amount != 0) _mint(work.owner, amount);
    }

    function _prioritize(address payer, bytes32 job, uint256 amount) private {
        require(amount != 0, AmountZero());
        uint256 total = _priority[job] + amount;
        _priority[job] = total;
        _burn(payer, amount);

        emit JobPrioritized(job, payer, amount, total);
    }

    /// @dev The Market's id of a job, for the events; worked out here, because a call would cost more.
    function _jobId(Terms calldata terms) private view returns (bytes32) {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("DPU Market"), keccak256("1"), block.chainid, MARKET));
        return MessageHashUtils.toTypedDataHash(domain, terms.structHash());
    }
}
